"""Loggers of Lightning's that the user names: they get scores and settings, our curves stay."""

import csv

import yaml

from rnnlp.tasks.reporting.learning_curves import draw_curves


def test_a_logger_of_the_users_has_scores_and_settings(rnnlp, corpus, tmp_path, monkeypatch):
    monkeypatch.setattr("rnnlp.tasks.fit.model_writer.draw_curves", draw_curves)
    code, _, err = rnnlp(
        "fit", "--config", corpus / "tiny.yaml", "--output", tmp_path / "m",
        "--trainer.max_epochs=1", "--trainer.logger=CSVLogger",
        f"--trainer.logger.save_dir={tmp_path / 'mine'}", "--trainer.logger.name=tiny",
    )  # fmt: skip
    assert code == 0, err
    (folder,) = (tmp_path / "mine" / "tiny").iterdir()
    with (folder / "metrics.csv").open() as file:
        assert any(row["validation_f1"] for row in csv.DictReader(file))
    settings = yaml.safe_load((folder / "hparams.yaml").read_text())
    assert settings["model.encoder.hidden_size"] == 16
    assert len(list((tmp_path / "m" / "logs").glob("*/metrics.csv"))) == 1
    curves = (tmp_path / "m" / "curves.png").read_bytes()
    assert curves.startswith(b"\x89PNG") and curves.endswith(b"IEND\xaeB`\x82")  # really drawn
