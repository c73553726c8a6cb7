from django.template import Engine


def test_pages_do_not_carry_the_indentation_of_their_source_but_letters_keep_it(tmp_path):
    source = "<ul>\n  {% for one in some %}\n\t<li>{{ one }}</li>\n  {% endfor %}\n</ul>\n"
    engine = Engine(dirs=[tmp_path], loaders=["skypemgr.lean_templates.Loader"])
    for name in ("page.html", "letter.txt"):
        (tmp_path / name).write_text(source)

    page = engine.render_to_string("page.html", {"some": ["  a\n  b"]})
    assert page == "<ul>\n\n<li>  a\n  b</li>\n\n</ul>\n", "nor loses what is written into it"
    assert "\n\t<li>" in engine.render_to_string("letter.txt", {"some": "a"})
