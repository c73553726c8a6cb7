"""Exit 0 if web of this container is ready to work. Asks under the name that the settings allow."""

import http.client
import os
import sys
from urllib.parse import urlsplit

connection = http.client.HTTPConnection("127.0.0.1", int(os.environ["WEB_BIND"].rpartition(":")[2]), timeout=8)
connection.request("GET", "/readyz", headers={"Host": urlsplit(os.environ["BASE_URL"]).netloc})
answer = connection.getresponse()
sys.stdout.write(f"{answer.status} {answer.read(200).decode()}")
sys.exit(answer.status != http.client.OK)
