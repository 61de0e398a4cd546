/// Writes JSON into its own buffer. Space is reserved once per value, and texts are scanned for characters to escape
/// and copied eight bytes at a time. Appending to an array checks every step, which took most of the time for a long
/// list.
@safe
struct JSONWriter: ~Copyable {
    private var base: UnsafeMutableRawPointer
    private var capacity: Int
    private(set) var count = 0

    init(capacity: Int) {
        self.capacity = max(64, capacity)
        unsafe base = UnsafeMutableRawPointer.allocate(byteCount: self.capacity, alignment: 8)
    }

    deinit {
        unsafe base.deallocate()
    }

    /// Reserves space for `extra` more bytes.
    @inline(__always)
    mutating func reserve(_ extra: Int) {
        if count + extra > capacity { grow(extra) }
    }

    private mutating func grow(_ extra: Int) {
        capacity = max(capacity * 2, count + extra)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 8)
        unsafe larger.copyMemory(from: base, byteCount: count)
        unsafe base.deallocate()
        unsafe base = larger
    }

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        reserve(1)
        unsafe base.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count += 1
    }

    @inline(__always)
    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        reserve(bytes.count)
        unsafe (base + count).copyMemory(from: start, byteCount: bytes.count)
        count += bytes.count
    }

    mutating func append(_ text: StaticString) {
        unsafe append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Bytes in quotes, for texts that need no escaping.
    @inline(__always)
    mutating func appendQuoted(_ bytes: UnsafeRawBufferPointer) {
        reserve(bytes.count + 2)
        append(UInt8(ascii: "\""))
        unsafe append(bytes)
        append(UInt8(ascii: "\""))
    }

    /// A JSON string (RFC 8259, section 7): quote, backslash and U+0000 to U+001F are escaped.
    mutating func appendString(_ bytes: UnsafeRawBufferPointer) {
        let length = bytes.count
        // Each byte may become six, and a word may be stored past the end.
        reserve(length * 6 + 10)
        append(UInt8(ascii: "\""))
        var index = 0
        while index + 8 <= length {
            let word = unsafe bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            if JSONWriter.needsEscape(word) {
                for offset in index..<index + 8 { appendEscaped(unsafe bytes[offset]) }
            } else {
                unsafe base.storeBytes(of: word, toByteOffset: count, as: UInt64.self)
                count += 8
            }
            index += 8
        }
        while index < length {
            appendEscaped(unsafe bytes[index])
            index += 1
        }
        append(UInt8(ascii: "\""))
    }

    /// Discards everything after `count` bytes.
    mutating func truncate(to count: Int) {
        self.count = count
    }

    /// Appends everything to an array.
    func move(to bytes: inout [UInt8]) {
        unsafe bytes.append(contentsOf: UnsafeRawBufferPointer(start: base, count: count))
    }

    /// Whether any of eight bytes is below 0x20, a quote or a backslash (after the tests for zero bytes in "Bit
    /// Twiddling Hacks" by S. E. Anderson).
    @inline(__always)
    private static func needsEscape(_ word: UInt64) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops: UInt64 = 0x8080_8080_8080_8080
        let quotes = word ^ (ones &* 0x22)
        let backslashes = word ^ (ones &* 0x5C)
        let controls = (word &- ones &* 0x20) & ~word
        return (controls | (quotes &- ones) & ~quotes | (backslashes &- ones) & ~backslashes) & tops != 0
    }

    @inline(__always)
    private mutating func appendEscaped(_ byte: UInt8) {
        if byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") {
            append(byte)
        } else {
            appendEscape(byte)
        }
    }

    private mutating func appendEscape(_ byte: UInt8) {
        append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): append(byte)
        case 0x08: append(UInt8(ascii: "b"))
        case 0x09: append(UInt8(ascii: "t"))
        case 0x0A: append(UInt8(ascii: "n"))
        case 0x0C: append(UInt8(ascii: "f"))
        case 0x0D: append(UInt8(ascii: "r"))
        default:
            append("u00")
            append(Hexadecimal.digit(byte >> 4))
            append(Hexadecimal.digit(byte & 15))
        }
    }
}
