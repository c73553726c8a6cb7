from django.urls import URLPattern, URLResolver, get_resolver


def reserved_words() -> frozenset[str]:
    """The first path segments of our own pages, which no organization can have as its address."""
    words = {"static", "api", "healthz", "readyz", "ops", "favicon.ico", "robots.txt"}
    for pattern in get_resolver().url_patterns:
        words |= _first_segment(pattern)
    return frozenset(words)


def _first_segment(pattern: URLPattern | URLResolver) -> set[str]:
    segment = str(pattern.pattern).split("/")[0]
    if isinstance(pattern, URLResolver) and not segment:
        return set().union(*(_first_segment(inner) for inner in pattern.url_patterns))
    return set() if "<" in segment or not segment else {segment}
