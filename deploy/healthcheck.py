"""Exit 0 if the process of this container can work: web is asked whether it is ready, a worker for its metrics."""

import http.client
import os
import sys
from urllib.parse import urlsplit

worker = os.environ.get("METRICS_BIND", "")
address, path = (worker, "/metrics") if worker else (os.environ["WEB_BIND"], "/readyz")
connection = http.client.HTTPConnection("127.0.0.1", int(address.rpartition(":")[2]), timeout=8)
# Under the name that the settings allow.
connection.request("GET", path, headers={"Host": urlsplit(os.environ["BASE_URL"]).netloc})
answer = connection.getresponse()
sys.stdout.write(f"{answer.status} {answer.read(200).decode()}")
sys.exit(answer.status != http.client.OK)
