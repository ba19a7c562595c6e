"""What seaborn draws of one table: a regression, boxes, a heat map and a joint distribution."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from PIL import Image

rng = np.random.default_rng(13)
size = 300
frame = pd.DataFrame({"kind": rng.choice(["a", "b", "c"], size), "x": rng.normal(10, 2, size)})
frame["y"] = 3 * frame["x"] + frame["kind"].map({"a": 0, "b": 5, "c": 9}) + rng.normal(0, 2, size)
frame["z"] = frame["x"] ** 2 - frame["y"]

sns.set_theme(style="whitegrid")
figure, axes = plt.subplots(2, 2, figsize=(9, 7))
sns.regplot(frame, x="x", y="y", ax=axes[0, 0], ci=None)
sns.boxplot(frame, x="kind", y="y", hue="kind", order=["a", "b", "c"], ax=axes[0, 1])
sns.heatmap(frame[["x", "y", "z"]].corr(), annot=True, fmt=".2f", ax=axes[1, 0])
sns.histplot(frame, x="y", hue="kind", multiple="stack", bins=20, ax=axes[1, 1])
figure.tight_layout()

line = axes[0, 0].lines[0].get_xydata()
print(line[[0, -1]].round(4).tolist())
print([round(patch.get_height()) for patch in axes[1, 1].patches[:20]])
print([text.get_text() for text in axes[1, 0].texts])
print(frame.groupby("kind")["y"].median().round(4).to_dict())


def look(drawn):
    file = io.BytesIO()
    drawn.savefig(file, format="png")
    pixels = np.asarray(Image.open(file).convert("RGB"))
    print(pixels.shape, pixels.mean(axis=(0, 1)).round(1).tolist())


look(figure)
grid = sns.pairplot(frame, hue="kind", diag_kind="hist", height=1.5)
look(grid.figure)
plt.show()
