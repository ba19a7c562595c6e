"""Sales by month and region, as a picture with two plots, in PNG, SVG and PDF."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from PIL import Image

rng = np.random.default_rng(12)
frame = pd.DataFrame(
    {
        "day": rng.choice(pd.date_range("2026-01-01", "2026-12-31"), 3_000),
        "region": rng.choice(["north", "south", "west"], 3_000, p=[0.5, 0.3, 0.2]),
        "amount": rng.lognormal(3, 0.6, 3_000).round(2),
    }
)
months = frame.assign(month=frame["day"].dt.month).pivot_table(
    index="month", columns="region", values="amount", aggfunc="sum"
)

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
months.plot(ax=left, marker="o")
left.set(title="Sales, 2026", xlabel="month", ylabel=r"$\sum$ amount")
left.grid(alpha=0.3)
counts, edges, _ = right.hist(frame["amount"], bins=30, color="tab:green")
right.axvline(frame["amount"].median(), color="k", linestyle="--", label="median")
right.legend()
right.annotate("most are small", (20, counts.max()), (80, counts.max() * 0.8), arrowprops={})

print(counts.astype(int).tolist())
print(edges[:3].round(3).tolist(), [label.get_text() for label in left.get_legend().texts])
print(np.round(left.get_ylim(), 2).tolist(), left.get_xticks().tolist())

file = io.BytesIO()
figure.savefig(file, format="png", dpi=120)
picture = Image.open(io.BytesIO(file.getvalue()))
pixels = np.asarray(picture.convert("RGB"))
print(picture.format, picture.size, picture.mode)
print(pixels.mean(axis=(0, 1)).round(1).tolist(), int((pixels < 128).any(axis=2).sum()) // 100)
thumbnail = picture.convert("RGB").resize((90, 40), Image.Resampling.LANCZOS)
jpeg = io.BytesIO()
thumbnail.save(jpeg, "JPEG", quality=90)
again = Image.open(io.BytesIO(jpeg.getvalue()))
print(again.format, again.size, np.asarray(again).mean().round(1))
for kind, begin in (("svg", b"<?xml"), ("pdf", b"%PDF-1.4")):
    file = io.BytesIO()
    figure.savefig(file, format=kind)
    print(kind, file.getvalue().startswith(begin))
plt.show()
