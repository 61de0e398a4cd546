import ClubProtocol
import ServiceKit

/// The letters of the directory, which the content service sends. Only jobs send letters: no request waits for another
/// service.
struct LetterClient: Sendable {
    private let backend: Backend
    /// The public base URL of the directory.
    private let address: String

    /// - Throws: ``ConfigurationProblem`` if `PUBLIC_URL` cannot be used in a mail.
    init(backend: Backend) throws {
        self.backend = backend
        address = backend.configuration.publicAddress
        do {
            _ = try WebAddress(validating: address)
        } catch {
            throw ConfigurationProblem("PUBLIC_URL", "cannot stand in a mail: its host needs a domain or an IP address")
        }
    }

    /// The address of a page of this service.
    func link(_ path: String) throws -> WebAddress { try WebAddress(validating: address + path) }

    /// Hands a letter over to the content service; idempotent: it is sent once.
    ///
    /// - Throws: `ServiceClientError` while the content service does not respond; ``JobDiscard`` if it refuses this
    ///   letter.
    func send(_ letter: SendLetter.Body) async throws {
        do {
            _ = try await backend.peers[.content].send(SendLetter.request(body: letter))
        } catch ServiceClientError.problem(let document) where (400..<500).contains(document.status) {
            guard ![401, 403, 408, 429].contains(document.status) else {
                throw ServiceClientError.problem(document)
            }
            throw JobDiscard("content refused the letter: \(document.slug)")
        }
    }
}

extension ServiceConfiguration {
    /// The public base URL; the service's own address if none is configured.
    var publicAddress: String { publicURL ?? "http://\(host):\(port)" }
}
