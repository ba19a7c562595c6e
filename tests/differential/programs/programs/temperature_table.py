"""Conversion tables with formatted floats."""

print(f"{'C':>6} {'F':>7} {'K':>8}")
for c in range(-40, 101, 35):
    print(f"{c:>6} {c * 9 / 5 + 32:>7.1f} {c + 273.15:>8.2f}")
for miles in (0.5, 1, 26.2188):
    print(
        f"{miles:g} mi = {miles * 1.609344:.4f} km, {miles * 1.609344:.3g} km, {miles * 1609.344:,.0f} m"
    )
print(f"{1 / 7:.15f} {1 / 7:.17g} {100 / 3:8.3e} {2 / 3:%} {1e-10:g} {123456789:g} {0.00001234:g}")
