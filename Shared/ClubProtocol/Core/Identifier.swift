package import FoundationEssentials
import Synchronization

/// The identifier of one kind of entity: a UUID in lower case, version 7 (RFC 9562) if generated here.
///
/// Each entity has its own Swift type: a person's identifier cannot be passed where an event's is expected.
package struct Identifier<Entity>: TextValue, Comparable {
    package let uuid: UUID

    package init(_ uuid: UUID) {
        self.uuid = uuid
    }

    /// Generates an identifier that sorts after those generated earlier in the same process.
    package init() {
        uuid = UUIDv7.next()
    }

    package init(validating text: String) throws(InvalidText) {
        guard let uuid = UUIDText.parse(text) else { throw InvalidText("is not a valid UUID") }
        self.uuid = uuid
    }

    package var text: String { uuid.uuidString.asciiLowercased }

    package static var schema: TextSchema {
        TextSchema(format: "uuid", example: "01930f2e-7c50-7b3a-9f53-2f6d1c0a4e11")
    }

    package static func < (left: Self, right: Self) -> Bool { left.uuid < right.uuid }
}

/// The text form of UUIDs (RFC 9562, 4). Foundation parses it with `sscanf`, which takes a twentieth of a short
/// request's time.
enum UUIDText {
    static func parse(_ text: String) -> UUID? {
        text.utf8.withContiguousStorageIfAvailable(parse) ?? UUID(uuidString: text)
    }

    private static func parse(_ text: UnsafeBufferPointer<UInt8>) -> UUID? {
        guard text.count == 36 else { return nil }
        var uuid: uuid_t = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        return withUnsafeMutableBytes(of: &uuid) { bytes in
            var index = 0
            for position in 0..<16 {
                if position == 4 || position == 6 || position == 8 || position == 10 {
                    guard text[index] == UInt8(ascii: "-") else { return nil }
                    index += 1
                }
                guard let high = Hexadecimal.value(text[index]), let low = Hexadecimal.value(text[index + 1]) else {
                    return nil
                }
                bytes[position] = high << 4 | low
                index += 2
            }
            return UUID(uuid: bytes.load(as: uuid_t.self))
        }
    }
}

/// Generates version 7 UUIDs: 48 bits of Unix milliseconds, a 12-bit counter within the millisecond and 62 random
/// bits (RFC 9562, 5.7, 6.2).
package enum UUIDv7 {
    private static let last = Mutex<(milliseconds: UInt64, counter: UInt16)>((0, 0))

    package static func next(at date: Date = Date()) -> UUID {
        let now = UInt64(max(0, date.timeIntervalSince1970 * 1000))
        let (milliseconds, counter) = last.withLock { last -> (UInt64, UInt16) in
            if now > last.milliseconds {
                last = (now, UInt16.random(in: 0..<0x400))
            } else if last.counter == 0xFFF {
                last = (last.milliseconds + 1, 0)
            } else {
                last.counter += 1
            }
            return (last.milliseconds, last.counter)
        }
        let random = UInt64.random(in: .min ... .max)
        func byte(_ value: UInt64, _ shift: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: value >> shift) }
        return UUID(
            uuid: (
                byte(milliseconds, 40), byte(milliseconds, 32), byte(milliseconds, 24), byte(milliseconds, 16),
                byte(milliseconds, 8), byte(milliseconds, 0),
                0x70 | UInt8(truncatingIfNeeded: counter >> 8), UInt8(truncatingIfNeeded: counter),
                0x80 | (byte(random, 56) & 0x3F), byte(random, 48), byte(random, 40), byte(random, 32),
                byte(random, 24), byte(random, 16), byte(random, 8), byte(random, 0)
            ))
    }
}
