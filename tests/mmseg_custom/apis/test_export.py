import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from conftest import ROOT
from narrow_zoo import narrow

from mmseg_custom.apis import TrashSegmenter
from mmseg_custom.apis.export import export_onnx
from mmseg_custom.apis.int8 import StaticQuantizer, quantize_within
from mmseg_custom.apis.onnx_segmenter import OnnxSegmenter
from mmseg_custom.apis.parity import compare, random_photos
from mmseg_custom.classes import built_in
from mmseg_custom.experiment.config import drop_pretrained, load_config
from mmseg_custom.utils import UserError

CLASSES = built_in().names
PALETTE = built_in().mask_colors

onnx = pytest.importorskip('onnx')
onnxruntime = pytest.importorskip('onnxruntime')

SIZES = [(1, 32, 32), (3, 33, 257), (2, 100, 64), (1, 1, 5), (1, 300, 200)]
SMALLER = dict(
    upernet_swin_toy={},
    segformer_b0_trash={
        'model.backbone.embed_dims': 8,
        'model.backbone.num_layers': [1, 1, 1, 1],
        'model.decode_head.in_channels': [8, 16, 40, 64],
        'model.decode_head.channels': 16,
    },
    unetplusplus_effb5_trash={
        'model.backbone.encoder': 'efficientnet-b0',
        'model.backbone.decoder_channels': [32, 16, 8, 8, 8],
    },
)


def segmenter_of(name, folder, changes=()):
    """Random weights, scaled so that several classes win somewhere."""
    from mmseg.registry import MODELS

    cfg = load_config(str(ROOT / 'configs' / f'{name}.py'))
    cfg.merge_from_dict(SMALLER[name] | dict(changes))
    if name.startswith('unetplusplus'):
        pytest.importorskip('segmentation_models_pytorch')
    drop_pretrained(cfg.model)
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    last = [value for key, value in model.named_parameters() if 'conv_seg.weight' in key]
    last = last[0] if last else model.backbone.model.segmentation_head[0].weight
    last.data *= 30
    torch.save(dict(state_dict=model.state_dict()), folder / 'a.pth')
    return TrashSegmenter(cfg, folder / 'a.pth', device='cpu')


@pytest.fixture(scope='module', params=SMALLER)
def pair(request, tmp_path_factory):
    """A segmenter, and the file that became of it."""
    folder = tmp_path_factory.mktemp(request.param)
    segmenter = segmenter_of(request.param, folder)
    export_onnx(segmenter, folder / 'a.onnx')
    return SimpleNamespace(segmenter=segmenter, file=folder / 'a.onnx')


def noise(n, height, width):
    return np.random.default_rng(n).integers(0, 256, (n, 3, height, width), np.uint8)


def run(file, photos):
    return onnxruntime.InferenceSession(str(file)).run(None, dict(photo=photos))[0]


@pytest.mark.parametrize('size', SIZES)
def test_sizes_that_were_not_seen_at_export(pair, size):
    photos = noise(*size)
    found = run(pair.file, photos)
    expected = pair.segmenter.batch(list(photos.transpose(0, 2, 3, 1)))
    expected = np.stack([result.probabilities for result in expected])
    assert found.dtype == np.float32
    assert found.shape == (size[0], 11, *size[1:])
    assert np.abs(found - expected).max() <= 1e-3
    assert np.mean(found.argmax(1) == expected.argmax(1)) >= 0.999
    assert size[1] < 32 or len(np.unique(found.argmax(1))) > 2


def test_the_file_says_what_it_holds(pair):
    model = onnx.load(pair.file)
    onnx.checker.check_model(model)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(metadata['classes']) == list(CLASSES)
    assert [tuple(color) for color in json.loads(metadata['palette'])] == list(PALETTE)
    (photo,) = model.graph.input
    assert photo.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    sides = [side.dim_param or side.dim_value for side in photo.type.tensor_type.shape.dim]
    assert sides == ['N', 3, 'H', 'W']


def test_int8_is_smaller_and_almost_the_same(pair, tmp_path):
    photos = [photo for batch in random_photos() for photo in batch]
    StaticQuantizer(pair.file, photos).write(tmp_path / 'b.onnx')
    assert (tmp_path / 'b.onnx').stat().st_size < 0.9 * pair.file.stat().st_size
    found, expected = (
        np.stack([r.probabilities for r in OnnxSegmenter(file).batch(photos[1:])])
        for file in (tmp_path / 'b.onnx', pair.file)
    )
    assert 0 < np.abs(found - expected).mean() < 0.1


def test_int8_leaves_as_many_layers_in_float_as_the_loss_needs(tmp_path):
    segmenter = segmenter_of('segformer_b0_trash', tmp_path)
    export_onnx(segmenter, tmp_path / 'a.onnx')
    quantizer = StaticQuantizer(tmp_path / 'a.onnx', random_photos()[0])
    for losses, count in (([0.4], 0), ([3, 2, 1, 0.5], 4)):
        left = iter(losses)
        floating, loss = quantize_within(
            quantizer, tmp_path / 'b.onnx', lambda _, left=left: next(left), 0.5
        )
        assert floating == quantizer.layers[:count]
        assert loss == losses[-1]
        graph = onnx.load(tmp_path / 'b.onnx').graph
        producers = {out: node.op_type for node in graph.node for out in node.output}
        quantized = {
            node.name
            for node in graph.node
            if node.name in quantizer.layers and producers.get(node.input[1]) == 'DequantizeLinear'
        }
        assert quantized == {*quantizer.layers[count:]}
    with pytest.raises(UserError, match=r'loses more than 0\.5 points, however many'):
        quantize_within(quantizer, tmp_path / 'b.onnx', lambda _: 1.0, 0.5)


def test_int8_joins_features_in_8_bits_but_not_what_it_gives(tmp_path):
    segmenter = segmenter_of('segformer_b0_trash', tmp_path)
    export_onnx(segmenter, tmp_path / 'a.onnx')
    StaticQuantizer(tmp_path / 'a.onnx', random_photos()[0]).write(tmp_path / 'b.onnx')
    nodes = onnx.load(tmp_path / 'b.onnx').graph.node
    producers = {out: node for node in nodes for out in node.output}
    takers = {name: node for node in nodes for name in node.input}

    def is_quantized(node):
        return producers[node.input[0]].op_type == 'DequantizeLinear'

    (joined,) = (node for node in nodes if is_feature_concat(node))
    assert is_quantized(joined)
    assert takers[joined.output[0]].op_type == 'QuantizeLinear'
    last = [node for node in nodes if node.op_type == 'Resize'][-1]
    assert takers[last.output[0]].op_type != 'QuantizeLinear'


@pytest.mark.parametrize(
    ('name', 'in_8_bits'), [('laptop_efflite0_trash', True), ('segformer_b0_trash', False)]
)
def test_int8_clips_in_8_bits_between_convolutions(name, in_8_bits, tmp_path):
    # The sums of a transformer have outliers that 8 bits cannot hold: it stays as it is.
    cfg = narrow(name)
    segmenter = TrashSegmenter(cfg, random_weights(cfg, tmp_path / 'a.pth'), device='cpu')
    export_onnx(segmenter, tmp_path / 'a.onnx')
    StaticQuantizer(tmp_path / 'a.onnx', random_photos()[0]).write(tmp_path / 'b.onnx')
    nodes = onnx.load(tmp_path / 'b.onnx').graph.node
    producers = {out: node.op_type for node in nodes for out in node.output}
    activations = [
        node
        for node in nodes
        if node.op_type in ('Clip', 'Relu') and producers.get(node.input[0]) == 'DequantizeLinear'
    ]
    assert bool(activations) != in_8_bits


def random_weights(cfg, path):
    from mmseg.registry import MODELS

    torch.manual_seed(0)
    torch.save(dict(state_dict=MODELS.build(cfg.model).state_dict()), path)
    return path


def is_feature_concat(node):
    """Whether it joins the four maps of SegFormer's head, not numbers of a size."""
    (axis,) = (attribute.i for attribute in node.attribute) if node.op_type == 'Concat' else (0,)
    return axis == 1 and len(node.input) == 4


def test_labels_instead_of_probabilities(tmp_path):
    segmenter = segmenter_of('segformer_b0_trash', tmp_path)
    export_onnx(segmenter, tmp_path / 'a.onnx', argmax=True)
    photos = noise(2, 50, 71)
    found = run(tmp_path / 'a.onnx', photos)
    expected = [result.mask for result in segmenter.batch(list(photos.transpose(0, 2, 3, 1)))]
    assert found.dtype == np.uint8
    assert found.shape == (2, 50, 71)
    assert np.mean(found == expected) >= 0.999


@pytest.mark.parametrize(
    'preprocessor',
    [
        dict(bgr_to_rgb=False, mean=[10.0, 90.0, 200.0]),
        dict(mean=None, std=None),
        dict(pad_val=3, test_cfg=dict(size_divisor=64)),
    ],
)
def test_other_preprocessors_are_in_the_graph_too(tmp_path, preprocessor):
    changes = {f'model.data_preprocessor.{key}': value for key, value in preprocessor.items()}
    segmenter = segmenter_of('segformer_b0_trash', tmp_path, changes)
    export_onnx(segmenter, tmp_path / 'a.onnx')
    assert compare(segmenter, OnnxSegmenter(tmp_path / 'a.onnx'), random_photos()).holds


def test_another_model_is_told_from_the_same(tmp_path):
    segmenter = segmenter_of('segformer_b0_trash', tmp_path)
    export_onnx(segmenter, tmp_path / 'a.onnx')
    exported = OnnxSegmenter(tmp_path / 'a.onnx')
    same = compare(segmenter, exported, random_photos())
    assert same.holds
    segmenter.model.decode_head.conv_seg.bias.data += torch.linspace(0, 1, 11)
    other = compare(segmenter, exported, random_photos())
    assert not other.holds
    assert other.difference > 1e-3
    assert 0 < other.equal < 1


def test_what_cannot_be_exported_is_told(tmp_path):
    segmenter = segmenter_of('segformer_b0_trash', tmp_path)
    with pytest.raises(UserError, match='cannot be exported to ONNX'):
        export_onnx(segmenter, tmp_path / 'a.onnx', opset=6)
    segmenter.model.test_cfg.mode = 'slide'
    with pytest.raises(UserError, match='sees complete photos'):
        export_onnx(segmenter, tmp_path / 'a.onnx')


def test_a_missing_package_is_told(tmp_path, monkeypatch):
    segmenter = segmenter_of('segformer_b0_trash', tmp_path)
    monkeypatch.setitem(__import__('sys').modules, 'onnx', None)
    with pytest.raises(UserError, match=r'onnx is missing: pip install -e "\.\[export\]"'):
        export_onnx(segmenter, tmp_path / 'a.onnx')
