import Foundation

/// Makes UTF-8, or something in which every delimiter is the same byte, of the bytes of a file: takes a byte order mark
/// away and turns UTF-16 (Excel's "Unicode text") into UTF-8. UTF-16 without its mark is known by every other byte of the first
/// two letters being zero. Keeps no more than three bytes between two calls.
struct TextTranscoder {
    private enum Encoding {
        case unknown
        /// UTF-8 or Windows-1252: each field says which, see ``CSVReader``.
        case bytes
        case utf16(bigEndian: Bool)
    }

    private var encoding = Encoding.unknown
    private var pending: [UInt8] = []

    mutating func transcode(_ bytes: some Collection<UInt8>) -> [UInt8] {
        pending.append(contentsOf: bytes)
        if case .unknown = encoding {
            guard pending.count >= 4 else { return [] }
            detect()
        }
        return take(final: false)
    }

    mutating func finish() -> [UInt8] {
        if case .unknown = encoding { detect() }
        return take(final: true)
    }

    private mutating func detect() {
        if pending.starts(with: [0xEF, 0xBB, 0xBF]) {
            encoding = .bytes
            pending.removeFirst(3)
        } else if pending.starts(with: [0xFF, 0xFE]) {
            encoding = .utf16(bigEndian: false)
            pending.removeFirst(2)
        } else if pending.starts(with: [0xFE, 0xFF]) {
            encoding = .utf16(bigEndian: true)
            pending.removeFirst(2)
        } else if pending.count >= 4, pending[0] != 0, pending[1] == 0, pending[2] != 0, pending[3] == 0 {
            encoding = .utf16(bigEndian: false)
        } else if pending.count >= 4, pending[0] == 0, pending[1] != 0, pending[2] == 0, pending[3] != 0 {
            encoding = .utf16(bigEndian: true)
        } else {
            encoding = .bytes
        }
    }

    private mutating func take(final: Bool) -> [UInt8] {
        guard case .utf16(let bigEndian) = encoding else {
            defer { pending.removeAll(keepingCapacity: true) }
            return pending
        }
        var units: [UInt16] = []
        units.reserveCapacity(pending.count / 2)
        var index = 0
        while index + 1 < pending.count {
            let (first, second) = (UInt16(pending[index]), UInt16(pending[index + 1]))
            units.append(bigEndian ? first << 8 | second : second << 8 | first)
            index += 2
        }
        // Half of a surrogate pair waits for the other one.
        if !final, let last = units.last, last & 0xFC00 == 0xD800 {
            units.removeLast()
            index -= 2
        }
        pending.removeFirst(index)
        if final { pending.removeAll() }
        return Array(String(decoding: units, as: UTF16.self).utf8)
    }
}
