"""SummaryWriter: scalars, histograms, pictures, sounds and text for TensorBoard.

In: values of a running program. Out: event files in a folder (`tensorboard --logdir FOLDER`).
"""
from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any

from . import _protobuf as pb
from . import summary
from ._records import EventFile

START = 1                       # SessionLog.status


class FileWriter:
    """An event file in `log_dir`, for summaries that are made already."""

    def __init__(self, log_dir: Any, max_queue: int = 10, flush_secs: float = 120,
                 filename_suffix: str = "") -> None:
        self._folder = str(log_dir)
        self._file = EventFile(self._folder, filename_suffix, max_queue, flush_secs)

    def get_logdir(self) -> str:
        """The folder."""
        return self._folder

    def add_summary(self, summary: bytes, global_step: int | None = None,
                    walltime: float | None = None) -> None:
        """Append an Event with the bytes of a Summary."""
        self._file.add(pb.data(5, summary), global_step, walltime)

    def flush(self) -> None:
        """Write to disk what waits."""
        self._file.flush()

    def close(self) -> None:
        """No more events."""
        self._file.close()


class SummaryWriter:
    """Writes what happens in a program to event files in `log_dir`, for TensorBoard.

    log_dir          the folder; runs/TIME_HOST and `comment` if None
    purge_step       events from this step on, of an earlier crash, are not shown
    max_queue        so many events at most wait in memory
    flush_secs       and so many seconds
    filename_suffix  the end of the files' names
    """

    def __init__(self, log_dir: Any = None, comment: str = "", purge_step: int | None = None,
                 max_queue: int = 10, flush_secs: float = 120, filename_suffix: str = "") -> None:
        if not log_dir:
            now = datetime.now().strftime("%b%d_%H-%M-%S")
            log_dir = os.path.join("runs", f"{now}_{socket.gethostname()}{comment}")
        self.log_dir = str(log_dir)
        self.purge_step = purge_step
        self.max_queue, self.flush_secs = max_queue, flush_secs
        self.filename_suffix = filename_suffix
        self.file_writer: FileWriter | None = None
        self.all_writers: dict[str, FileWriter] | None = None
        self._get_file_writer()

    def _get_file_writer(self) -> FileWriter:
        """The file of `log_dir`; a new one after `close`."""
        if self.all_writers is None or self.file_writer is None:
            self.file_writer = self._writer(self.log_dir)
            self.all_writers = {self.log_dir: self.file_writer}
            if self.purge_step is not None:
                log = pb.data(7, pb.integer(1, START))
                self.file_writer._file.add(log, self.purge_step, None)
                self.purge_step = None
        return self.file_writer

    def _writer(self, folder: str) -> FileWriter:
        return FileWriter(folder, self.max_queue, self.flush_secs, self.filename_suffix)

    def get_logdir(self) -> str:
        """The folder of the event files."""
        return self.log_dir

    def _add(self, made: bytes, step: Any, walltime: float | None) -> None:
        self._get_file_writer().add_summary(made, None if step is None else int(step), walltime)

    def add_scalar(self, tag: str, scalar_value: Any, global_step: Any = None,
                   walltime: float | None = None, new_style: bool = False,
                   double_precision: bool = False) -> None:
        """One number, at a step."""
        self._add(summary.scalar(tag, scalar_value, new_style, double_precision), global_step,
                  walltime)

    def add_scalars(self, main_tag: str, tag_scalar_dict: Mapping[str, Any],
                    global_step: Any = None, walltime: float | None = None) -> None:
        """Several numbers in one chart: each name gets a run of its own, in a folder below."""
        walltime = time.time() if walltime is None else walltime
        self._get_file_writer()
        writers = self.all_writers or {}
        for tag, value in tag_scalar_dict.items():
            folder = os.path.join(self.log_dir, main_tag.replace("/", "_") + "_" + tag)
            if folder not in writers:
                writers[folder] = self._writer(folder)
            step = None if global_step is None else int(global_step)
            writers[folder].add_summary(summary.scalar(main_tag, value), step, walltime)

    def add_tensor(self, tag: str, tensor: Any, global_step: Any = None,
                   walltime: float | None = None) -> None:
        """A number as a tensor summary."""
        self._add(summary.scalar(tag, tensor, new_style=True), global_step, walltime)

    def add_histogram(self, tag: str, values: Any, global_step: Any = None,
                      bins: Any = "tensorflow", walltime: float | None = None,
                      max_bins: int | None = None) -> None:
        """How many of the values lie where."""
        self._add(summary.histogram(tag, values, bins, max_bins), global_step, walltime)

    def add_histogram_raw(self, tag: str, min: float, max: float, num: float,  # noqa: A002
                          sum: float, sum_squares: float,  # noqa: A002
                          bucket_limits: Sequence[float], bucket_counts: Sequence[float],
                          global_step: Any = None, walltime: float | None = None) -> None:
        """A histogram that was counted already."""
        self._add(summary.histogram_raw(tag, min, max, num, sum, sum_squares, bucket_limits,
                                        bucket_counts), global_step, walltime)

    def add_image(self, tag: str, img_tensor: Any, global_step: Any = None,
                  walltime: float | None = None, dataformats: str = "CHW") -> None:
        """A picture: uint8, or floats from 0 to 1."""
        self._add(summary.image(tag, img_tensor, dataformats), global_step, walltime)

    def add_images(self, tag: str, img_tensor: Any, global_step: Any = None,
                   walltime: float | None = None, dataformats: str = "NCHW") -> None:
        """A batch of pictures, side by side."""
        self._add(summary.image(tag, img_tensor, dataformats), global_step, walltime)

    def add_figure(self, tag: str, figure: Any, global_step: Any = None, close: bool = True,
                   walltime: float | None = None) -> None:
        """A matplotlib figure, or a list of some, as pictures."""
        from matplotlib import pyplot
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        import numpy as np

        drawn = []
        for one in figure if isinstance(figure, list) else [figure]:
            canvas = FigureCanvasAgg(one)
            canvas.draw()
            drawn.append(np.asarray(canvas.buffer_rgba())[:, :, :3])
            if close:
                pyplot.close(one)
        self.add_images(tag, np.stack(drawn), global_step, walltime, "NHWC")

    def add_audio(self, tag: str, snd_tensor: Any, global_step: Any = None,
                  sample_rate: int = 44100, walltime: float | None = None) -> None:
        """A sound of values from -1 to 1."""
        self._add(summary.audio(tag, snd_tensor, sample_rate), global_step, walltime)

    def add_text(self, tag: str, text_string: str, global_step: Any = None,
                 walltime: float | None = None) -> None:
        """A text; TensorBoard shows it as Markdown."""
        self._add(summary.text(tag, text_string), global_step, walltime)

    def add_hparams(self, hparam_dict: Mapping[str, Any], metric_dict: Mapping[str, Any],
                    hparam_domain_discrete: Any = None, run_name: str | None = None,
                    global_step: Any = None) -> None:
        """Hyperparameters and what they led to, as a run of their own."""
        if not isinstance(hparam_dict, Mapping) or not isinstance(metric_dict, Mapping):
            raise TypeError("hparam_dict and metric_dict should be dictionary.")
        folder = os.path.join(self.log_dir, run_name or str(time.time()))
        with SummaryWriter(folder) as writer:
            for made in summary.hparams(hparam_dict, metric_dict):
                writer._add(made, None, None)
            for name, value in metric_dict.items():
                writer.add_scalar(name, value, global_step)

    def add_graph(self, model: Any, input_to_model: Any = None, verbose: bool = False,
                  use_strict_trace: bool = True) -> None:
        """Refused: PyTorch draws a TorchScript graph, and there is none here."""
        raise _refusal("add_graph", "flambeau has no TorchScript graph to draw; "
                                    "FLAMBEAU_SHOW=graph shows what it records")

    def add_video(self, tag: str, vid_tensor: Any, global_step: Any = None, fps: float = 4,
                  walltime: float | None = None) -> None:
        """Refused."""
        raise _refusal("add_video", "there is no encoder for videos; add_images shows its pictures")

    def add_embedding(self, mat: Any, metadata: Any = None, label_img: Any = None,
                      global_step: Any = None, tag: str = "default",
                      metadata_header: Any = None) -> None:
        """Refused."""
        raise _refusal("add_embedding", "the projector's files are not written")

    def add_pr_curve(self, tag: str, labels: Any, predictions: Any, global_step: Any = None,
                     num_thresholds: int = 127, weights: Any = None,
                     walltime: float | None = None) -> None:
        """Refused."""
        raise _refusal("add_pr_curve", "the plugin's tensors are not written")

    def add_custom_scalars(self, layout: Any) -> None:
        """Refused."""
        raise _refusal("add_custom_scalars", "the plugin's layouts are not written")

    def add_mesh(self, tag: str, vertices: Any, colors: Any = None, faces: Any = None,
                 config_dict: Any = None, global_step: Any = None,
                 walltime: float | None = None) -> None:
        """Refused."""
        raise _refusal("add_mesh", "the plugin's tensors are not written")

    def flush(self) -> None:
        """Write to disk what waits."""
        for writer in (self.all_writers or {}).values():
            writer.flush()

    def close(self) -> None:
        """Close the files; a later event opens a new one."""
        for writer in (self.all_writers or {}).values():
            writer.close()
        self.file_writer = self.all_writers = None

    def __enter__(self) -> SummaryWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()


def _refusal(name: str, why: str) -> NotImplementedError:
    return NotImplementedError(f"SummaryWriter.{name} is not supported: {why}.")
