"""bzip2 in Python: what bz2.py, tarfile, zipfile and shutil need. Right, but slow.

About 0.4 MB/s to compress and 1 MB/s to decompress; zlib is C and a hundred times faster.
"""

_MAGIC_BLOCK = 0x314159265359
_MAGIC_END = 0x177245385090
_GROUP = 50  # symbols that one Huffman table is used for in a row
_MAX_CODE = 20
_OWN_BLOCK = 100_000  # bytes of a block when compressing; sorting takes time

_crc_table = []
for _byte in range(256):
    _crc = _byte << 24
    for _ in range(8):
        _crc = (_crc << 1 ^ 0x04C11DB7) if _crc & 0x80000000 else _crc << 1
    _crc_table.append(_crc & 0xFFFFFFFF)
del _byte, _crc, _


def _checksum(data):
    crc = 0xFFFFFFFF
    table = _crc_table
    for byte in data:
        crc = (crc << 8 & 0xFFFFFFFF) ^ table[crc >> 24 ^ byte]
    return crc ^ 0xFFFFFFFF


# ---- Decompressing -------------------------------------------------------------------------------


class _Reader:
    """Bits of data that comes in pieces. Its generators yield when they need more."""

    def __init__(self):
        self.data = b""
        self.position = 0
        self.bits = 0
        self.count = 0

    def refill(self):
        """A generator that ends as soon as there are 4 more bytes, or fewer if data has ended."""
        while self.position >= len(self.data):
            yield None
        piece = self.data[self.position : self.position + 4]
        self.position += len(piece)
        self.bits = self.bits << 8 * len(piece) | int.from_bytes(piece)
        self.count += 8 * len(piece)

    def read(self, wanted):
        while self.count < wanted:
            yield from self.refill()
        self.count -= wanted
        value = self.bits >> self.count
        self.bits &= (1 << self.count) - 1
        return value


def _decode_stream(reader):
    """Yields bytes, or None when there is no data; returns when the stream has ended."""
    head = yield from reader.read(32)
    level = (head & 0xFF) - 0x30
    if head >> 8 != 0x425A68 or not 1 <= level <= 9:
        raise OSError("Invalid data stream")
    whole = 0
    while True:
        magic = yield from reader.read(48)
        crc = yield from reader.read(32)
        if magic == _MAGIC_END:
            if crc != whole:
                raise OSError("Invalid data stream")
            return
        if magic != _MAGIC_BLOCK:
            raise OSError("Invalid data stream")
        data = yield from _decode_block(reader, level * 100_000)
        if _checksum(data) != crc:
            raise OSError("Invalid data stream")
        whole = (whole << 1 & 0xFFFFFFFF | whole >> 31) ^ crc
        yield data


def _decode_block(reader, size_limit):
    randomised = yield from reader.read(1)
    if randomised:
        raise OSError("Invalid data stream")  # not written since 1999
    origin = yield from reader.read(24)
    used_groups = yield from reader.read(16)
    symbols = []
    for group in range(16):
        if used_groups >> (15 - group) & 1:
            used = yield from reader.read(16)
            symbols += [16 * group + bit for bit in range(16) if used >> (15 - bit) & 1]
    tables, selectors = yield from _read_tables(reader, len(symbols) + 2)
    column = yield from _read_symbols(reader, symbols, tables, selectors, size_limit)
    if origin >= len(column):
        raise OSError("Invalid data stream")
    return _expand_runs(_unsort(column, origin))


def _read_tables(reader, alphabet):
    table_count = yield from reader.read(3)
    selector_count = yield from reader.read(15)
    if not 2 <= table_count <= 6 or not selector_count or alphabet < 3:
        raise OSError("Invalid data stream")
    recent = list(range(table_count))
    selectors = []
    for _ in range(selector_count):
        place = 0
        while (yield from reader.read(1)):
            place += 1
            if place >= table_count:
                raise OSError("Invalid data stream")
        recent.insert(0, recent.pop(place))
        selectors.append(recent[0])
    tables = []
    for _ in range(table_count):
        length = yield from reader.read(5)
        lengths = []
        for _ in range(alphabet):
            while True:
                if not 1 <= length <= _MAX_CODE:
                    raise OSError("Invalid data stream")
                if not (yield from reader.read(1)):
                    break
                length += -1 if (yield from reader.read(1)) else 1
            lengths.append(length)
        tables.append(_codes_by_value(lengths))
    return tables, selectors


def _codes(lengths):
    """The code of each symbol, given their lengths."""
    codes = [0] * len(lengths)
    code = 0
    for length in range(min(lengths), max(lengths) + 1):
        for symbol, own in enumerate(lengths):
            if own == length:
                codes[symbol] = code
                code += 1
        code <<= 1
    return codes


def _codes_by_value(lengths):
    """Shortest length, and symbols by (length, code)."""
    codes = _codes(lengths)
    return min(lengths), {
        (length, code): symbol
        for symbol, (length, code) in enumerate(zip(lengths, codes, strict=True))
    }


def _read_symbols(reader, symbols, tables, selectors, size_limit):
    """The block as it was sorted: Huffman codes, then runs of the first, then move to front."""
    recent = list(symbols)
    end = len(symbols) + 1
    column = bytearray()
    run, weight = 0, 1
    for selector in selectors:
        shortest, by_code = tables[selector]
        for _ in range(_GROUP):
            while reader.count < shortest:
                yield from reader.refill()
            length = shortest
            while True:
                symbol = by_code.get((length, reader.bits >> (reader.count - length)))
                if symbol is not None:
                    break
                length += 1
                if length > _MAX_CODE:
                    raise OSError("Invalid data stream")
                while reader.count < length:
                    yield from reader.refill()
            reader.count -= length
            reader.bits &= (1 << reader.count) - 1
            if symbol < 2:
                run += weight << symbol
                weight <<= 1
                if run > size_limit:
                    raise OSError("Invalid data stream")
                continue
            if run:
                column += bytes((recent[0],)) * run
                run, weight = 0, 1
            if symbol == end:
                if len(column) > size_limit:
                    raise OSError("Invalid data stream")
                return column
            byte = recent.pop(symbol - 1)
            recent.insert(0, byte)
            column.append(byte)
        if len(column) > size_limit:
            raise OSError("Invalid data stream")
    raise OSError("Invalid data stream")


def _unsort(column, origin):
    starts = [0] * 256
    for byte in column:
        starts[byte] += 1
    total = 0
    for byte, count in enumerate(starts):
        starts[byte] = total
        total += count
    following = [0] * len(column)
    for index, byte in enumerate(column):
        following[starts[byte]] = index
        starts[byte] += 1
    data = bytearray(len(column))
    place = following[origin]
    for index in range(len(column)):
        data[index] = column[place]
        place = following[place]
    return data


def _expand_runs(data):
    """Four equal bytes are followed by how many more there are."""
    pieces = bytearray()
    index, size = 0, len(data)
    begin = same = 0
    last = -1
    while index < size:
        byte = data[index]
        same = same + 1 if byte == last else 1
        last = byte
        index += 1
        if same == 4:
            pieces += data[begin:index]
            if index == size:
                raise OSError("Invalid data stream")
            pieces += bytes((byte,)) * data[index]
            index += 1
            begin, same, last = index, 0, -1
    pieces += data[begin:]
    return bytes(pieces)


class BZ2Decompressor:
    """Decompresses one stream that comes in pieces."""

    def __new__(cls):
        self = super().__new__(cls)
        self._reader = _Reader()
        self._decoder = _decode_stream(self._reader)
        self._ready = b""
        self._broken = False
        self.eof = False
        self.needs_input = True
        self.unused_data = b""
        self._rest = None  # what follows the stream
        return self

    def decompress(self, data, max_length=-1):
        """What comes out of data; at most max_length bytes if that is not negative."""
        if self.eof:
            raise EOFError("End of stream already reached")
        if self._broken:
            raise ValueError("Decompressor is unusable after a previous error")
        reader = self._reader
        reader.data = reader.data[reader.position :] + bytes(data)
        reader.position = 0
        pieces = [self._ready]
        size = len(self._ready)
        ended = False
        try:
            while max_length < 0 or size <= max_length:
                piece = next(self._decoder)
                if piece is None:
                    break
                pieces.append(piece)
                size += len(piece)
        except StopIteration:
            ended = True
        except OSError:
            self._broken = True
            self.needs_input = False
            raise
        whole = b"".join(pieces)
        if 0 <= max_length < len(whole):
            self._ready = whole[max_length:]
            whole = whole[:max_length]
        else:
            self._ready = b""
        if ended:
            # Whole bytes that were taken in but not used.
            unread = reader.count // 8
            kept = (reader.bits & ((1 << 8 * unread) - 1)).to_bytes(unread)
            self._rest = kept + reader.data[reader.position :]
            self._decoder = iter(())
        if self._rest is not None and not self._ready:
            self.eof = True
            self.unused_data = self._rest
        self.needs_input = not self.eof and not self._ready
        return whole

    def __reduce__(self):
        raise TypeError(f"cannot pickle {type(self).__name__!r} object")


# ---- Compressing ---------------------------------------------------------------------------------


def _squeeze_runs(data):
    """The reverse of _expand_runs()."""
    pieces = bytearray()
    index, size = 0, len(data)
    while index < size:
        byte = data[index]
        end = index + 1
        while end < size and end - index < 259 and data[end] == byte:
            end += 1
        run = end - index
        if run < 4:
            pieces += data[index:end]
        else:
            pieces += bytes((byte,)) * 4
            pieces.append(run - 4)
        index = end
    return bytes(pieces)


def _sort(data):
    """The last column of all rotations of data in order, and which of them data is."""
    size = len(data)
    width = 8  # bytes that are compared already, and so on, twice as many each time
    doubled = data + (data * (width // size + 1))[:width]
    keys = [int.from_bytes(doubled[index : index + width]) for index in range(size)]
    order = sorted(range(size), key=keys.__getitem__)
    rank = _ranks(order, keys)
    while width < size and rank[order[-1]] != size - 1:
        keys = [
            first * size + second
            for first, second in zip(rank, rank[width % size :] + rank[: width % size], strict=True)
        ]
        order.sort(key=keys.__getitem__)
        rank = _ranks(order, keys)
        width *= 2
    return bytes(data[index - 1] for index in order), order.index(0)


def _ranks(order, keys):
    """Places in the order, the same for equal keys: the greatest is size - 1 only if all differ."""
    rank = [0] * len(order)
    place = 0
    last = keys[order[0]]
    for index in order:
        if keys[index] != last:
            place += 1
            last = keys[index]
        rank[index] = place
    return rank


def _code_lengths(frequencies):
    """Lengths of Huffman codes of at most 17 bits."""
    from heapq import heapify, heappop, heappush

    weights = [max(1, frequency) for frequency in frequencies]
    while True:
        heap = [(weight, symbol, (symbol,)) for symbol, weight in enumerate(weights)]
        heapify(heap)
        lengths = [0] * len(weights)
        serial = len(weights)
        while len(heap) > 1:
            first_weight, _, first = heappop(heap)
            second_weight, _, second = heappop(heap)
            for symbol in first + second:
                lengths[symbol] += 1
            heappush(heap, (first_weight + second_weight, serial, first + second))
            serial += 1
        if max(lengths) <= 17:
            return lengths
        weights = [weight // 2 + 1 for weight in weights]


def _symbols_of(column, used):
    """Move to front, with runs of the first as numbers of two digits, and the end."""
    recent = list(used)
    symbols = []
    run = 0
    for byte in column:
        place = recent.index(byte)
        if place == 0:
            run += 1
            continue
        while run:
            run -= 1
            symbols.append(run & 1)
            run >>= 1
        recent.insert(0, recent.pop(place))
        symbols.append(place + 1)
    while run:
        run -= 1
        symbols.append(run & 1)
        run >>= 1
    symbols.append(len(used) + 1)
    return symbols


class BZ2Compressor:
    """Compresses data that comes in pieces."""

    def __init__(self, compresslevel=9):
        if not 1 <= compresslevel <= 9:
            raise ValueError("compresslevel must be between 1 and 9")
        self._bits = [f"{0x425A68 << 8 | 0x30 + compresslevel:032b}"]
        self._waiting = bytearray()
        self._whole = 0
        self._flushed = False

    def compress(self, data):
        """What can be given out already."""
        if self._flushed:
            raise ValueError("Compressor has been flushed")
        self._waiting += data
        # 4 bytes become at most 5.
        step = _OWN_BLOCK * 4 // 5
        while len(self._waiting) >= step:
            self._write_block(bytes(self._waiting[:step]))
            del self._waiting[:step]
        return self._whole_bytes()

    def flush(self):
        """The rest. The compressor cannot be used afterwards."""
        if self._flushed:
            raise ValueError("Repeated call to flush()")
        self._flushed = True
        if self._waiting:
            self._write_block(bytes(self._waiting))
        self._bits.append(f"{_MAGIC_END:048b}{self._whole:032b}")
        missing = -sum(map(len, self._bits)) % 8
        self._bits.append("0" * missing)
        return self._whole_bytes()

    def _whole_bytes(self):
        text = "".join(self._bits)
        size = len(text) // 8
        self._bits = [text[8 * size :]]
        return int(text[: 8 * size], 2).to_bytes(size) if size else b""

    def _write_block(self, data):
        crc = _checksum(data)
        self._whole = (self._whole << 1 & 0xFFFFFFFF | self._whole >> 31) ^ crc
        column, origin = _sort(_squeeze_runs(data))
        used = sorted(set(column))
        symbols = _symbols_of(column, used)
        frequencies = [0] * (len(used) + 2)
        for symbol in symbols:
            frequencies[symbol] += 1
        lengths = _code_lengths(frequencies)
        codes = [
            f"{code:0{length}b}" for code, length in zip(_codes(lengths), lengths, strict=True)
        ]

        bits = self._bits
        bits.append(f"{_MAGIC_BLOCK:048b}{crc:032b}0{origin:024b}")
        groups = sorted({byte >> 4 for byte in used})
        bits.append("".join("01"[group in groups] for group in range(16)))
        for group in groups:
            bits.append("".join("01"[16 * group + bit in used] for bit in range(16)))
        selectors = -(-len(symbols) // _GROUP)
        bits.append(f"{2:03b}{selectors:015b}" + "0" * selectors)
        table = [f"{lengths[0]:05b}"]
        before = lengths[0]
        for length in lengths:
            table.append(("10" if length > before else "11") * abs(length - before) + "0")
            before = length
        bits += table * 2  # there have to be two
        bits += [codes[symbol] for symbol in symbols]

    def __reduce__(self):
        raise TypeError(f"cannot pickle {type(self).__name__!r} object")
