"""The scores of a model as a table for people; imports nothing that takes time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def table(result: Mapping[str, Any], policy: str | Mapping[str, str]) -> str:
    """The scores for people, in percent.

    Args:
        result: The scores; of a model for several tasks, those of each under its name.
        policy: How they were counted, likewise.
    """
    lines = []
    if isinstance(policy, str):
        lines += [*_scores(result), f"policy: {policy}"]
    else:
        for task in [task for task in policy if task in result]:
            lines += [f"{task}:", *_scores(result[task]), f"policy: {policy[task]}", ""]
    of_texts = "per_class" in result or "bits_per_character" in result or "classification" in result
    what = "texts" if of_texts else "sentences"
    lines.append(
        f"{result['examples']:,} {what} in {result['seconds']:.1f} s, "
        f"{result['tokens_per_second']:,} tokens per second"
    )
    return "\n".join(lines)


def _scores(result: Mapping[str, Any]) -> list[str]:
    if "per_type" in result:
        return _entities(result)
    if "bleu" in result:
        return _translations(result)
    if "per_class" in result:
        return _classes(result)
    if "bits_per_character" in result:
        return _texts(result)
    return [f"accuracy {100 * result['accuracy']:.2f}"]


def _entities(result: Mapping[str, Any]) -> list[str]:
    rows = [("all", result), *result["per_type"].items()]
    width = max(len(name) for name, _ in rows)
    lines = [f"{'':<{width}}  precision  recall      F1   entities"]
    total = sum(scores["support"] for scores in result["per_type"].values())
    for name, scores in rows:
        numbers = "".join(
            f"{100 * scores[key]:>{space}.2f}"
            for key, space in (("precision", 9), ("recall", 8), ("f1", 8))
        )
        lines.append(f"{name:<{width}}  {numbers}  {scores.get('support', total):>9,}")
    return [*lines, f"invalid sequences: {result['invalid_sequences']}"]


def _translations(result: Mapping[str, Any]) -> list[str]:
    lines = [
        f"BLEU {result['bleu']:.2f}  chrF {result['chrf']:.2f}  "
        f"perplexity {result['perplexity']:.2f}"
    ]
    if other := result.get("against"):
        lines.append(
            f"against: BLEU {other['bleu']:.2f} (p {other['bleu_p']:.3f})  chrF "
            f"{other['chrf']:.2f} (p {other['chrf_p']:.3f}), by paired bootstrap"
        )
    return [*lines, f"signature: {result['signature']}"]


def _texts(result: Mapping[str, Any]) -> list[str]:
    bits = f"bits per character {result['bits_per_character']:.4f}"
    if "bits_per_character_without_labels" in result:
        bits += f" (without labels {result['bits_per_character_without_labels']:.4f})"
    return [f"{bits}  perplexity {result['perplexity']:.3f}"]


def _classes(result: Mapping[str, Any]) -> list[str]:
    shown = [
        f"{name} {100 * result[key]:.2f}"
        for key, name in (
            ("accuracy", "accuracy"),
            ("macro_f1", "macro F1"),
            ("micro_f1", "micro F1"),
            ("auroc", "AUROC"),
        )
        if key in result
    ]
    lines = [f"{'  '.join(shown)}  ece {result['ece']:.4f}"]
    rows = result["per_class"].items()
    width = max(len(name) for name, _ in rows)
    lines.append(f"{'':<{width}}  precision  recall      F1      texts")
    for name, scores in rows:
        numbers = "".join(
            f"{100 * scores[key]:>{space}.2f}"
            for key, space in (("precision", 9), ("recall", 8), ("f1", 8))
        )
        lines.append(f"{name:<{width}}  {numbers}  {scores['support']:>9,}")
    return lines
