"""The frequencies in a noisy signal, and the signal without the noise."""

import numpy as np

rng = np.random.default_rng(9)
rate = 1_000
time = np.arange(4_096) / rate
signal = np.sin(2 * np.pi * 50 * time) + 0.5 * np.sin(2 * np.pi * 120 * time)
noisy = signal + rng.normal(0, 1.2, time.size)
spectrum = np.fft.rfft(noisy * np.hanning(time.size))
frequency = np.fft.rfftfreq(time.size, 1 / rate)
peaks = np.argsort(np.abs(spectrum))[::-1][:4]
print(np.round(frequency[np.sort(peaks)], 6), np.round(np.sort(np.abs(spectrum[peaks])), 5))
kept = np.where(np.abs(spectrum) > 0.25 * np.abs(spectrum).max(), spectrum, 0)
clean = np.fft.irfft(kept, time.size)
print(np.round(np.corrcoef(clean[500:-500], signal[500:-500])[0, 1], 8))
kernel = np.ones(9) / 9
print(np.round(np.convolve(noisy, kernel, "valid")[:5], 8))
