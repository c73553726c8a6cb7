import json

from skypemgr.management.commands.describe_commands import FILE, describe_commands


def test_the_list_of_commands_is_up_to_date():
    assert json.loads(FILE.read_text()) == describe_commands(), "run manage.py describe_commands"


def test_every_command_says_what_it_does_and_what_each_argument_means():
    for name, command in describe_commands().items():
        assert command["does"].endswith("."), name
        for argument in command["arguments"]:
            assert argument["help"], f"{name} {argument['name']}"
