"""The page of the sorting guide, made of Gradio's parts."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gradio as gr
import numpy as np
from gradio.data_classes import ImageData

from mmseg_custom.apis import TrashSegmenter
from mmseg_custom.coco import IGNORE_INDEX
from mmseg_custom.utils import UserError
from mmseg_custom.utils.non_finite import NonFiniteOutput
from mmseg_custom.visualization.pages.html import render_page

from .guide import Look, Refine, hide_unsure, list_findings
from .rules import SortingRules
from .upload import Limits, UploadError, read_upload

CONFIDENCE, LEAST, MOST, STEP = 0.5, 0.0, 0.95, 0.05
# Percent of the photo's width: almost all of what was found is seen before the line is moved.
LINE = 10
PHOTO_HEIGHT = 360
# What a visitor showed is forgotten after so long, on the disk and in memory, where it takes about
# 20 MB; when more visitors come, the one that was away longest is forgotten.
KEPT_SECONDS, SWEEP_SECONDS, VISITORS = 3600, 600, 100
STYLE = """
.findings ul { list-style: none; margin: 0; padding: 0; }
.findings li {
  display: grid; grid-template-columns: 1.6rem 1fr auto; gap: 0.2rem 0.7rem; align-items: center;
  margin: 0; padding: 0.7rem 0; border-top: 1px solid var(--border-color-primary);
}
.findings .swatch { height: 1.6rem; border-radius: 0.3rem; border: 1px solid #8888; }
.findings .thing b { font-size: 1.15em; margin-right: 0.4em; }
.findings .bin {
  color: white; font-weight: 700; padding: 0.3rem 0.8rem; border-radius: 1rem; text-align: center;
}
.findings .how { grid-column: 2 / 4; }
.findings .note { opacity: 0.8; font-size: 0.9em; }
"""


class PhotoInput(gr.Image):
    """Gradio's image input without its decoding: the file is judged before anything opens it."""

    # Lets the browser take it for an Image.
    is_template = True

    def preprocess(self, payload: ImageData | None) -> str | None:
        """Return the path of the file as it was uploaded."""
        return payload.path if payload else None


def launch_options(limits: Limits) -> dict:
    """Return how the page is served: its looks, nothing from the network, nothing to it."""
    # Gradio's own choice of weights, 400 and 600, has a bold face without most letters.
    font = (gr.themes.LocalFont('Source Sans Pro', weights=(400, 700)), 'system-ui', 'sans-serif')
    theme = gr.themes.Default(font=font, primary_hue='green')
    return dict(
        css=STYLE,
        theme=theme.set(
            block_info_text_color='*neutral_500', block_info_text_color_dark='*neutral_300'
        ),
        max_file_size=limits.max_bytes,
        state_session_capacity=VISITORS,
        footer_links=[],
        share=False,
        ssr_mode=False,
    )


def build_guide(
    segmenter: TrashSegmenter, rules: Sequence[SortingRules], limits: Limits, refine: Refine
) -> gr.Blocks:
    """Make the application: a page for each set of rules, the first one under ``/``.

    Args:
        segmenter: The model.
        rules: At least one, of different languages.
        limits: Of an upload.
        refine: See :class:`Look`.
    """

    def look(path: str | None) -> Look | None:
        return look_at(path, segmenter, limits, refine)

    with gr.Blocks(
        title=rules[0].texts['title'],
        analytics_enabled=False,
        delete_cache=(SWEEP_SECONDS, KEPT_SECONDS),
    ) as guide:
        _fill_page(rules[0], look)
        gr.Navbar(main_page_name=rules[0].name, visible=len(rules) > 1)
    for more in rules[1:]:
        with guide.route(more.name, f'/{more.language}'):
            _fill_page(more, look)
            gr.Navbar(main_page_name=rules[0].name)
    return guide


def look_at(
    path: str | None, segmenter: TrashSegmenter, limits: Limits, refine: Refine
) -> Look | None:
    """Show a photo to the model; None when there is none, or it is refused, which the page says.

    Args:
        path: The file as it was uploaded; who received it has counted its bytes.
        segmenter: The model.
        limits: Limits of the uploaded file.
        refine: See :class:`Look`.
    """
    if path is None:
        return None
    try:
        with open(path, 'rb') as file:
            photo = read_upload(file, limits).photo
        return Look(photo, segmenter(photo), refine)
    except (UploadError, NonFiniteOutput) as error:
        # Not an error to Gradio: what was found in the photo before must not stay.
        gr.Warning(str(error))
        return None


def _fill_page(rules: SortingRules, look: Callable[[str | None], Look | None]) -> None:
    """Put the parts of a page into the Gradio block that is open, and connect them."""
    texts = rules.texts
    gr.Markdown(f'# {texts["title"]}\n{texts["intro"]}')
    with gr.Row():
        with gr.Column():
            photo, confidence, edges = _inputs(texts)
        with gr.Column():
            comparison = gr.ImageSlider(
                label=texts['compare'], format='png', interactive=False, slider_position=LINE
            )
            findings = gr.HTML()
    seen = gr.State(time_to_live=KEPT_SECONDS)

    def show(seen: Look | None, confidence: float, edges: bool):
        if seen is None:
            return None, ''
        try:
            return describe(seen, rules, confidence, edges)
        except UserError as error:
            raise gr.Error(str(error), print_exception=False) from None

    shown = dict(fn=show, inputs=[seen, confidence, edges], outputs=[comparison, findings])
    photo.change(look, photo, seen).then(**shown)
    gr.on([confidence.release, edges.change], **shown)


def _inputs(texts: Mapping[str, str]) -> tuple[PhotoInput, gr.Slider, gr.Checkbox]:
    sources: Any = ['upload', 'webcam', 'clipboard']
    photo = PhotoInput(
        label=texts['photo'],
        sources=sources,
        # A camera looks at trash, not at a face: left stays left.
        webcam_options=gr.WebcamOptions(mirror=False),
        height=PHOTO_HEIGHT,
    )
    confidence = gr.Slider(
        LEAST, MOST, CONFIDENCE, label=texts['confidence'], info=texts['confidence_help'], step=STEP
    )
    return photo, confidence, gr.Checkbox(label=texts['edges'], info=texts['edges_help'])


def describe(
    seen: Look, rules: SortingRules, confidence: float, edges: bool
) -> tuple[tuple[np.ndarray, np.ndarray], str]:
    """Return the pictures before and after, and the list of what was found as HTML.

    Args:
        seen: The photo.
        rules: What to say.
        confidence: In 0..1; what is less sure is shown as unsure.
        edges: Whether to show the refined mask.
    """
    found = hide_unsure(seen.refined if edges else seen.plain, confidence)
    html = render_page(
        'findings.html.j2',
        rules=rules,
        findings=list_findings(found, rules),
        unsure=float((found.mask == IGNORE_INDEX).mean()),
    )
    return (seen.photo, found.overlay(seen.photo)), html
