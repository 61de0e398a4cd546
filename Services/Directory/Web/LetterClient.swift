import ClubProtocol
import ServiceKit

/// The letters of the directory, which the content service sends. Only jobs send letters: no request waits for another
/// service.
struct LetterClient: Sendable {
    private let backend: Backend
    /// The public base URL of the directory.
    private let address: String
    private let texts: LetterTexts

    /// - Throws: `ConfigurationProblem` if `PUBLIC_URL` cannot be used in a mail; errors in a template.
    init(backend: Backend) throws {
        self.backend = backend
        texts = try LetterTexts()
        address = backend.configuration.publicAddress
        do {
            _ = try WebAddress(validating: address)
        } catch {
            throw ConfigurationProblem(
                "PUBLIC_URL", "cannot be used in a mail: its host needs a domain or an IP address")
        }
    }

    /// Hands a letter over to the content service; idempotent: it is sent once.
    ///
    /// - Parameters:
    ///   - key: letters with the same key are one.
    ///   - content: the values of the template.
    ///   - path: of the page of this service that the letter's link leads to.
    /// - Throws: `ServiceClientError` while the content service does not respond; `JobDiscard` if it refuses this
    ///   letter.
    func send(
        _ template: LetterTemplate, key: String, to recipient: Recipient, _ content: [String: Any],
        link path: String? = nil
    ) async throws {
        let text = try texts.text(template, content)
        precondition((text.label == nil) == (path == nil), "a letter has a link if its template has a label for it")
        let action = try text.label.map { label in
            Letter.Action(label: label, url: try WebAddress(validating: address + (path ?? "")))
        }
        try await send(
            SendLetter.Body(
                key: try Line(validating: key), purpose: template.purpose, email: recipient.email,
                name: recipient.name, reader: recipient.subject, subject: text.subject, paragraphs: text.paragraphs,
                action: action))
    }

    private func send(_ letter: SendLetter.Body) async throws {
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
