"""Measurements by the minute to hours and days, with gaps and time zones."""

import numpy as np
import pandas as pd

rng = np.random.default_rng(6)
index = pd.date_range("2026-03-28", periods=4_320, freq="min", tz="Europe/Berlin")
series = pd.Series(20 + np.sin(np.arange(4_320) / 229) * 5 + rng.normal(0, 0.3, 4_320), index=index)
series.iloc[500:620] = np.nan
hourly = series.resample("h").mean()
print(int(hourly.isna().sum()), hourly.interpolate("time").round(5).iloc[7:13].to_string())
daily = series.resample("D").agg(["min", "mean", "max", "count"])
print(daily.round(5).to_string())
print(series.rolling("90min").mean().iloc[[100, 1_000, 4_319]].round(6).tolist())
print(hourly.tz_convert("UTC").index[[0, 30, -1]].tolist())
print(series.ewm(halflife=30).mean().iloc[-1].round(8))
