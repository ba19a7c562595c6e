"""Colours between systems."""

import colorsys

for rgb in ((1, 0, 0), (0.2, 0.4, 0.6), (0, 0, 0), (1, 1, 1)):
    print(
        rgb,
        *(
            tuple(round(v, 6) for v in f(*rgb))
            for f in (colorsys.rgb_to_hsv, colorsys.rgb_to_hls, colorsys.rgb_to_yiq)
        ),
    )
    print(
        tuple(round(v, 6) for v in colorsys.hsv_to_rgb(*colorsys.rgb_to_hsv(*rgb))),
        "#" + "".join(f"{round(v * 255):02x}" for v in rgb),
    )
