from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


def return_path(request: HttpRequest) -> str:
    """Where a form posted from any page leads back to: its ``next``, if that is a page of ours, else the start."""
    path = request.POST.get("next", "")
    # What does not begin as a path does would be taken for the name of a page.
    safe = (
        path.startswith("/")
        and path.isprintable()
        and url_has_allowed_host_and_scheme(path, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    )
    return path if safe else "/"
