package import Foundation
import Synchronization

/// The identifier of one kind of entity: a UUID, version 7 when we make it (RFC 9562), written in lower case.
///
/// One Swift type an entity: a person's identifier cannot be passed where an event's is asked for.
package struct Identifier<Entity>: TextValue, Comparable {
    package let uuid: UUID

    package init(_ uuid: UUID) {
        self.uuid = uuid
    }

    /// A new one: later ones sort after earlier ones made in the same process.
    package init() {
        uuid = UUIDv7.next()
    }

    package init(validating text: String) throws(InvalidText) {
        guard text.utf8.count == 36, let uuid = UUID(uuidString: text) else { throw InvalidText("is no UUID") }
        self.uuid = uuid
    }

    package var text: String { uuid.uuidString.lowercased() }

    package static var schema: TextSchema {
        TextSchema(format: "uuid", example: "01930f2e-7c50-7b3a-9f53-2f6d1c0a4e11")
    }

    package static func < (left: Self, right: Self) -> Bool { left.uuid < right.uuid }
}

/// Makes version 7 UUIDs: 48 bits of Unix milliseconds, a 12-bit counter within one, 62 random bits (RFC 9562, 5.7, 6.2).
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
