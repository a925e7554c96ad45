import pytest
import yaml
from conftest import ROOT

from mmseg_custom.classes import built_in, class_list
from mmseg_custom.serving.rules import read_rules
from mmseg_custom.utils import UserError

CLASSES = built_in().names

RULES = sorted((ROOT / 'apps' / 'rules').glob('*.yaml'))
LEAST_CONTRAST = 4.5


def luminance(color):
    levels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in levels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.fixture
def written(tmp_path):
    def write(change):
        content = yaml.safe_load((ROOT / 'apps' / 'rules' / 'en.yaml').read_text())
        change(content)
        path = tmp_path / 'rules.yaml'
        path.write_text(yaml.safe_dump(content))
        return path

    return write


@pytest.mark.parametrize('path', RULES, ids=lambda path: path.stem)
def test_shipped_rules_say_a_bin_for_every_class(path):
    rules = read_rules(path, built_in())
    assert list(rules.classes) == list(CLASSES[1:])
    assert rules.language == path.stem
    for rule in rules.classes.values():
        # WCAG 2: white letters need a contrast of 4.5 to 1.
        assert 1.05 / (luminance(rule.bin.color) + 0.05) >= LEAST_CONTRAST, rule.bin


def test_the_values_are_those_of_the_file():
    rules = read_rules(ROOT / 'apps' / 'rules' / 'ko.yaml', built_in())
    assert rules.name == '한국어'
    assert rules.classes['Plastic bag'].name == '비닐'
    assert rules.classes['Plastic bag'].bin.name == '비닐류'
    assert rules.classes['Paper'].bin != rules.classes['Paper pack'].bin
    assert rules.texts['title'] == '어디에 버릴까요?'


def test_classes_of_another_model(written):
    def change(content):
        content['classes'] = {'Can': dict(name='Can', bin='glass', how='Crush it.')}

    assert list(read_rules(written(change), class_list(['Can', 'Background'])).classes) == ['Can']


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda c: c['classes'].pop('Glass'), 'has no rule for Glass'),
        (lambda c: c['classes'].update({3: {}}), 'classes: needs a rule'),
        (lambda c: c.update(classes=['Glass']), 'classes: needs a rule'),
        (lambda c: c['classes']['Glass'].update(bin='wood'), "no bin 'wood'"),
        (lambda c: c['classes']['Glass'].update(bin=['glass']), "bin: is \\['glass'\\]"),
        (lambda c: c['classes']['Glass'].pop('how'), 'classes, Glass: how is missing'),
        (lambda c: c['classes'].update(Glass='glass'), 'classes, Glass: needs the keys'),
        (lambda c: c['classes']['Glass'].update(how=' '), "classes, Glass, how: is ' '"),
        (lambda c: c['texts'].update(title=3), 'texts, title: is 3'),
        (lambda c: c['texts'].update(titel='x'), 'texts: titel is unknown'),
        (lambda c: c['bins']['glass'].update(color='green'), "the color 'green'"),
        (lambda c: c['bins']['glass'].update(color='#12345'), "the color '#12345'"),
        (lambda c: c['bins']['glass'].update(size=3), 'bins, glass: size is unknown'),
        (lambda c: c.update(bins=['glass']), 'bins: needs a bin a line'),
        (lambda c: c.update(language=False), 'language: is False'),
        (lambda c: c.pop('name'), 'the file: name is missing'),
    ],
)
def test_mistakes_are_named(written, change, message):
    path = written(change)
    with pytest.raises(UserError, match=message) as caught:
        read_rules(path, built_in())
    assert str(path) in str(caught.value)


@pytest.mark.parametrize('text', ['a: [', '- a', '', '\x00', '!!python/object:os.system {}'])
def test_a_file_that_is_no_rules(tmp_path, text):
    path = tmp_path / 'rules.yaml'
    path.write_text(text)
    with pytest.raises(UserError, match=str(path)):
        read_rules(path, built_in())


def test_a_file_that_is_missing_or_no_text(tmp_path):
    with pytest.raises(UserError, match='no such file of rules'):
        read_rules(tmp_path / 'none.yaml', built_in())
    (tmp_path / 'a.yaml').write_bytes(b'\xff\xfe\xfa')
    with pytest.raises(UserError, match='cannot be read as YAML'):
        read_rules(tmp_path / 'a.yaml', built_in())


def test_a_file_of_rules_with_a_byte_order_mark_is_read(tmp_path):
    text = (ROOT / 'apps' / 'rules' / 'en.yaml').read_text(encoding='utf-8')
    (tmp_path / 'rules.yaml').write_text(text, encoding='utf-8-sig')
    plain, marked = ROOT / 'apps' / 'rules' / 'en.yaml', tmp_path / 'rules.yaml'
    classes = built_in()
    assert read_rules(marked, classes) == read_rules(plain, classes)
