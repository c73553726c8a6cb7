"""The rules of the house that no single test of a feature would notice being broken."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import get_commands, load_command_class
from django.db import transaction
from django.db.models import CheckConstraint, Field
from django.urls import get_resolver

from members import audit_texts
from members.access import Actor, Capability
from members.audit import Action
from members.errors import SlugReserved
from members.management.base import JsonCommand, OrganizationCommand
from members.models import AuditEntry, Letter, Member, Organization
from members.selectors.audit import NEWEST
from members.selectors.members import ORDERS
from members.selectors.organizations import BY_ADDRESS
from members.services.departments import add_department
from members.services.organizations import Company, Founder, create_organization
from skypemgr.reserved import reserved_words
from tests.factories import OrganizationFactory

ROOT = Path(__file__).resolve().parent.parent
APPS = ("skypemgr", "members", "credit", "telephony", "reports")
SOURCES = sorted(path for app in APPS for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts)
SERVICES = [path for path in SOURCES if "services" in path.parts and path.name != "__init__.py"]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
LONGEST_FILE = 500
OTHER_ACCESS = {"public", "signed_in", "first_password", "operator", "local", "token"}

# Below the app that knows people, so these can't ask who it is; they show and change nobody's data.
WITHOUT_PEOPLE = {
    "healthz": "monitors ask it",
    "readyz": "monitors ask it",
    "metrics": "monitors ask it, with a token",
    ".well-known/security.txt": "for whoever has found a weakness",
    "theme/": "a cookie of one's own browser",
    "styleguide/": "invented data, in local mode only",
}
# Run by the clock or by a worker, never by somebody: what they do was asked for, and logged, before.
WITHOUT_ACTOR = {
    "alert_letters.py",
    "batch_attempts.py",
    "card_lookups.py",
    "card_messages.py",
    "closing_work.py",
    "idle_credit_work.py",
    "import_work.py",
    "jobs.py",
    "letters.py",
    "license_work.py",
    "purge.py",
    "recharge_sweep.py",
    "report_letters.py",
    "number_work.py",
    "call_work.py",
    "call_upload_work.py",
    "rate_work.py",
    "reservation_work.py",
    "stock_work.py",
    "wallet_recharge_work.py",
    "run_work.py",
    "tallies.py",
    "undelivered.py",
}
# Everybody may do these for themselves; no role is needed.
WITHOUT_CAPABILITY = {
    "leave_organization": "somebody's own membership",
    "decide_call_detail": "somebody's own membership",
    "acknowledge_emergency_calls": "somebody's own number",
    "reactivate_own_credit": "somebody's own credit",
    "set_own_feature": "somebody's own feature",
}
# Why a file may catch whatever happens.
CATCHES_EVERYTHING = {
    "credit/services/alert_letters.py": "one organization that fails must not keep the others from being told",
    "credit/services/recharge_sweep.py": "one organization that fails must not keep the others without credit",
    "telephony/services/call_upload_work.py": "one file that fails must not stop those behind it; the log says why",
    "members/services/import_work.py": "one batch that fails must not stop those behind it; the log says what it was",
    "skypemgr/installation.py": "a check that could not run has failed, whatever the reason (reliability.md D20)",
    "skypemgr/invariants.py": "a question that could not be asked is answered no (reliability.md D20)",
    "skypemgr/background.py": "the thread that talks to the broker outlives whatever fails beside it",
    "members/services/jobs.py": "a job of ours that fails is noted and tried again, and the jobs behind it run",
}
# Why a template may show a text as it is.
SAFE = {
    "django/forms/field.html": "help texts are ours, as in the template of Django that this one replaces",
}


def short(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def test_there_is_something_to_look_at():
    assert len(SOURCES) > 80
    assert len(SERVICES) > 10
    assert len(TEMPLATES) > 40


# Doors


def every_view(patterns=None, prefix=""):
    for pattern in patterns or get_resolver().url_patterns:
        if hasattr(pattern, "url_patterns"):
            yield from every_view(pattern.url_patterns, prefix + str(pattern.pattern))
        else:
            yield prefix + str(pattern.pattern), pattern.callback


VIEWS = list(every_view())
WITH_PEOPLE = [view for view in VIEWS if view[0] not in WITHOUT_PEOPLE]


@pytest.mark.parametrize(("route", "view"), WITH_PEOPLE, ids=[route for route, _view in WITH_PEOPLE])
def test_every_view_says_who_may_open_it(route, view):
    assert getattr(view, "access", None) in OTHER_ACCESS | set(Capability), f"{route} has no decorator of ours"


@pytest.mark.parametrize(("route", "view"), WITH_PEOPLE, ids=[route for route, _view in WITH_PEOPLE])
def test_what_is_inside_an_organization_needs_a_capability_and_the_rest_none(route, view):
    assert ("org_slug" in route) == (view.access in set(Capability))


def test_views_that_know_nobody_are_those_below_the_app_that_does():
    found = {route: view.__module__ for route, view in VIEWS if route in WITHOUT_PEOPLE}

    assert found.keys() == WITHOUT_PEOPLE.keys()
    assert all(module.startswith("skypemgr.views.") for module in found.values())


def first_words():
    for route, _view in VIEWS:
        word = route.split("/")[0]
        if word and "<" not in word:
            yield word


def test_no_organization_can_have_the_address_of_a_page(db):
    words = set(first_words())

    assert len(words) > 6
    assert words <= reserved_words()
    assert settings.STATIC_URL.strip("/") in reserved_words()
    for word in sorted(words & {"setup", "join", "accounts", "me", "ops", "theme", "styleguide", "outbox"}):
        with pytest.raises(SlugReserved):
            create_organization(
                actor=Actor.system(),
                company=Company(
                    name="X", slug=word, country="FR", currency="EUR", time_zone="Europe/Paris", language="en"
                ),
                founder=Founder(skype_name="x.founder", email="x@example.com"),
            )
    assert not Organization.objects.exists()


OUR_COMMANDS = [(name, app) for name, app in get_commands().items() if app in APPS and app != "skypemgr"]


@pytest.mark.parametrize(("name", "app"), OUR_COMMANDS)
def test_every_command_of_ours_answers_in_json_and_says_why_it_refused(name, app):
    command = load_command_class(app, name)

    assert isinstance(command, JsonCommand)
    assert command.help.endswith(".")
    if isinstance(command, OrganizationCommand):
        options = {option for action in command.create_parser("", name)._actions for option in action.option_strings}
        assert {"--organization", "--actor", "--dry-run", "--json"} <= options


# Data


def every_choices_field() -> Iterator[Field]:
    for model in apps.get_models():
        if model._meta.app_label in APPS:
            yield from (field for field in model._meta.local_fields if field.choices)


# Whose rows a trigger asks, since a check is read anew by each statement: tests/credit knows.
ASKED_ONCE = {"credit.LedgerAccount.kind", "credit.Transfer.operation", "credit.Transfer.actor_kind"}


@pytest.mark.parametrize("field", [field for field in every_choices_field() if str(field) not in ASKED_ONCE], ids=str)
def test_the_database_knows_every_choice_and_no_other(field):
    known = [
        set(value)
        for constraint in field.model._meta.constraints
        if isinstance(constraint, CheckConstraint)
        for lookup, value in (child for child in constraint.condition.children if isinstance(child, tuple))
        if lookup == f"{field.name}__in"
    ]
    choices = {value for value, _label in field.choices} | ({""} if field.blank else set())

    assert known == [choices]


def has_index(model, fields):
    """Whether an index begins with these fields, in this direction or the other way round throughout."""
    turned = [field.removeprefix("-") if field.startswith("-") else f"-{field}" for field in fields]
    found = [list(index.fields) for index in model._meta.indexes]
    found += [list(constraint.fields) for constraint in model._meta.constraints if hasattr(constraint, "fields")]
    return any(index[: len(fields)] in (fields, turned) for index in found)


@pytest.mark.parametrize("order", [*ORDERS], ids=lambda order: order.name)
def test_every_order_of_members_has_its_index(order):
    # Which column of the index is ascending matters only among themselves; the organization is one value.
    assert has_index(Member, ["organization", *order.fields]) or has_index(Member, ["organization", *order.reversed()])


def test_the_log_and_the_list_of_organizations_have_the_index_of_their_order():
    assert has_index(AuditEntry, ["organization", *NEWEST.fields])
    assert BY_ADDRESS.fields == ("slug", "id")
    assert Organization._meta.get_field("slug").unique


# Code. Each rule names every place where it is broken.


def places(paths, wrong):
    """Where ``wrong`` finds fault: it gets a file's syntax tree and yields the nodes it doesn't accept."""
    return [f"{short(path)}:{node.lineno}" for path in paths for node in wrong(path, tree(path))]


def test_no_file_outgrows_a_reader():
    files = [*SOURCES, *TEMPLATES, *(ROOT / "static" / "js").glob("*.js"), *(ROOT / "static" / "css").glob("*.css")]

    assert [short(path) for path in files if len(path.read_text().splitlines()) > LONGEST_FILE] == []


def test_no_file_has_a_name_that_says_nothing():
    nothing = {"utils", "util", "core", "common", "helpers", "helper", "misc", "tools"}

    assert [short(path) for path in SOURCES if path.stem in nothing] == []


def atomics(code):
    """Each use of transaction.atomic in a file, with its keywords, or None where it has none."""
    calls = {}
    for node in ast.walk(code):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("atomic"):
            calls[node.func] = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
        elif isinstance(node, ast.Attribute | ast.Name) and ast.unparse(node) in {"transaction.atomic", "atomic"}:
            calls.setdefault(node, None)
    return calls.items()


def test_services_begin_transactions_and_building_blocks_join_them_and_all_say_so():
    def wrong(path, code):
        wanted = {"durable": "True"} if path in SERVICES else {"savepoint": "False"}
        return (node for node, keywords in atomics(code) if keywords != wanted)

    assert places(SOURCES, wrong) == []


def test_durable_services_refuse_to_be_nested(db):
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        add_department(actor=Actor.system(), organization=OrganizationFactory(), name="x")


def test_tasks_are_sent_by_waking_alone():
    def wrong(path, code):
        sent = {"delay", "apply_async", "send_task", "delay_on_commit"}
        return (node for node in ast.walk(code) if isinstance(node, ast.Attribute) and node.attr in sent)

    assert places([path for path in SOURCES if short(path) != "skypemgr/background.py"], wrong) == []


def test_nobody_catches_everything():
    def wrong(path, code):
        for node in ast.walk(code):
            if isinstance(node, ast.ExceptHandler):
                caught = ast.unparse(node.type) if node.type else "everything"
                passed_on = any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
                if caught in {"everything", "Exception", "BaseException"} and not passed_on:
                    yield node

    assert places([path for path in SOURCES if short(path) not in CATCHES_EVERYTHING], wrong) == []


def test_no_signal_carries_business():
    def wrong(path, code):
        names = {"post_save", "pre_save", "post_delete", "pre_delete", "m2m_changed", "receiver"}
        for node in ast.walk(code):
            if isinstance(node, ast.Attribute | ast.Name) and ast.unparse(node).rpartition(".")[2] in names:
                yield node

    assert places(SOURCES, wrong) == []


def verbs(code):
    """The functions of a service module that begin a transaction."""
    for node in code.body:
        if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
            continue
        if any("durable=True" in ast.unparse(decorator) for decorator in node.decorator_list):
            yield node


ACTED = [path for path in SERVICES if path.name not in WITHOUT_ACTOR]


def test_every_service_takes_the_actor_first_and_everything_by_keyword():
    def wrong(path, code):
        for verb in verbs(code):
            if verb.args.args or verb.args.kwonlyargs[0].arg != "actor":
                yield verb

    assert places(ACTED, wrong) == []


def test_a_service_of_an_organization_checks_the_capability_before_anything_else():
    def wrong(path, code):
        for verb in verbs(code):
            names = {argument.arg for argument in verb.args.kwonlyargs}
            first = verb.body[1] if ast.get_docstring(verb) else verb.body[0]
            checks = ast.unparse(first).startswith(
                ("require(actor, organization, Capability.", "require_even_closed(actor, organization, Capability.")
            )
            if {"actor", "organization"} <= names and verb.name not in WITHOUT_CAPABILITY and not checks:
                yield verb

    assert places(ACTED, wrong) == []


def test_every_service_says_what_it_does():
    assert places(SERVICES, lambda path, code: (verb for verb in verbs(code) if not ast.get_docstring(verb))) == []


def test_services_never_call_each_other():
    named = {path: {verb.name for verb in verbs(tree(path))} for path in SERVICES}

    def wrong(path, code):
        for node in ast.walk(code):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                outer = [verb for verb in verbs(code) if verb.lineno <= node.lineno <= verb.end_lineno]
                if outer and any(node.func.id in names for names in named.values()):
                    yield node

    assert places(SERVICES, wrong) == []


# The log and the letters


def test_every_action_of_the_log_is_written_somewhere():
    text = "\n".join(path.read_text() for path in SOURCES if path.name not in {"audit.py", "audit_texts.py"})

    assert [action.name for action in Action if not re.search(rf"\bAction\.{action.name}\b", text)] == []


def logged_keys():
    """Every field name that a service writes before or after a change, with its place."""
    for path in SOURCES:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.keyword) and node.arg in {"before", "after"} and isinstance(node.value, ast.Dict):
                for key in node.value.keys:
                    if isinstance(key, ast.Constant):
                        yield key.value, f"{short(path)}:{node.value.lineno}"


def test_every_field_in_the_log_has_a_name_for_people():
    found = list(logged_keys())

    assert len(found) > 20
    assert [place for key, place in found if key not in audit_texts.FIELDS] == []


@pytest.mark.parametrize("kind", Letter.Kind.values)
@pytest.mark.parametrize("ending", ["_subject.txt", ".txt", ".html"])
def test_every_letter_has_its_subject_its_text_and_its_html(kind, ending):
    assert (ROOT / "templates" / "mail" / f"{kind}{ending}").read_text().strip()


# Templates


def is_letter(path):
    # Letters carry their own styles, as mail programs need it.
    return "mail" in path.relative_to(ROOT / "templates").parts


def pages_where(wrong, paths=TEMPLATES):
    return [short(path) for path in paths if wrong(path.read_text())]


PAGES = [path for path in TEMPLATES if not is_letter(path)]


def test_templates_hold_no_scripts_or_handlers():
    def wrong(text):
        text = re.sub(r"\{#.*?#\}", "", text)
        without_modules = re.sub(r'<script type="module" src="\{% static "[\w/.-]+" %\}"></script>', "", text)
        return (
            "<script" in without_modules
            or re.search(r"\son\w+\s*=", text, re.IGNORECASE)
            or re.search(r"\b(javascript|data):", text, re.IGNORECASE)
            or "hx-on" in text
        )

    assert pages_where(wrong) == []


def test_pages_hold_no_styles():
    assert pages_where(lambda text: "<style" in text or re.search(r"\sstyle\s*=", text), PAGES) == []


def test_templates_escape_what_they_show():
    def wrong(text):
        return "autoescape off" in text or "safeseq" in text or re.search(r"\|\s*safe\b", text)

    assert pages_where(wrong) == [f"templates/{name}" for name in SAFE]


def test_pages_load_nothing_from_elsewhere():
    elsewhere = re.compile(r"""(?:src|href|action|hx-\w+)=["'](?:https?:)?//""")

    assert pages_where(elsewhere.search, PAGES) == []


def test_forms_that_change_something_carry_the_token():
    form = re.compile(r'<form\b[^>]*method="post".*?</form>', re.DOTALL | re.IGNORECASE)

    assert pages_where(lambda text: any("csrf_token" not in found for found in form.findall(text))) == []


def test_components_begin_with_what_they_take_or_say():
    components = (ROOT / "templates" / "components").glob("*.html")

    assert pages_where(lambda text: not text.startswith("{# "), components) == []


def test_every_stylesheet_is_in_the_one_that_pages_link_to():
    folder = ROOT / "static" / "css"
    imported = set(re.findall(r'@import url\("([\w.-]+)"\)', (folder / "app.css").read_text()))

    assert imported == {path.name for path in folder.glob("*.css")} - {"app.css"}


def test_every_icon_that_a_template_names_is_in_the_sprite():
    drawn = set(re.findall(r'<symbol[^>]*\bid="([\w-]+)"', (ROOT / "static" / "img" / "icons.svg").read_text()))
    named = {name for path in TEMPLATES for name in re.findall(r'\{% icon "([\w-]+)"', path.read_text())}

    assert named
    assert named <= drawn
