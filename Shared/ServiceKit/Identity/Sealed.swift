import Crypto
import FoundationEssentials

/// Secrets as stored in the database: AES-256-GCM, under a key that the database does not have.
enum Sealed {
    /// It was sealed with another key, or for another place.
    struct CannotBeOpened: Error {}

    /// - Parameter place: what it belongs to; it cannot be opened for anything else.
    /// - Returns: nonce, ciphertext and tag.
    static func seal(_ bytes: [UInt8], with key: SymmetricKey, for place: String) throws -> [UInt8] {
        let box = try AES.GCM.seal(bytes, using: key, authenticating: Data(place.utf8))
        return Array(box.nonce) + Array(box.ciphertext) + Array(box.tag)
    }

    /// - Throws: ``CannotBeOpened``.
    static func open(_ sealed: [UInt8], with key: SymmetricKey, for place: String) throws(CannotBeOpened) -> [UInt8] {
        guard let box = try? AES.GCM.SealedBox(combined: sealed),
            let bytes = try? AES.GCM.open(box, using: key, authenticating: Data(place.utf8))
        else { throw CannotBeOpened() }
        return Array(bytes)
    }
}
