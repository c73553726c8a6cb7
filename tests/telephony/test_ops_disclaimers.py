import pytest
from django.urls import reverse

from telephony.countries import current_disclaimer, rule_of
from telephony.models import Disclaimer

pytestmark = pytest.mark.django_db


def url(name, *args):
    return reverse(f"emergency_ops:{name}", args=args)


def test_an_operator_publishes_a_version_and_changes_a_rule(client, operator):
    assert "France" in client.get(url("disclaimer_list")).content.decode()
    assert client.get(url("disclaimer_detail", "FR")).status_code == 200
    texts = {"text_en": "New", "text_fr": "Neuf", "text_sv": "Ny"}

    client.post(url("disclaimer_publish", "FR"), {**texts, "version": "1"})
    again = client.post(url("disclaimer_publish", "FR"), {**texts, "version": "1"})
    client.post(url("rule_change", "FR"), {"area_match": "refuse", "place_needed": "on", "emergency_numbers": "112"})

    assert again.status_code == 422
    assert (current_disclaimer("FR").version, Disclaimer.objects.filter(country="FR").count()) == (2, 2)
    rule = rule_of("FR")
    assert (rule.address_first, rule.area_match, rule.place_needed) == (False, "refuse", True)
    assert rule.changed_by is not None
    assert client.get(url("disclaimer_detail", "XX")).status_code == 404
    assert client.post(url("disclaimer_publish", "FR"), {"version": "2"}).status_code == 422
