import Crypto
import FoundationEssentials

/// Secrets as the database keeps them: AES-256-GCM under a key that it does not have.
enum Sealed {
    /// What was sealed under another key, or for another place.
    struct CannotBeOpened: Error {}

    /// - Parameter place: what it belongs to; nobody can take it elsewhere.
    /// - Returns: nonce, cipher text and tag.
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
