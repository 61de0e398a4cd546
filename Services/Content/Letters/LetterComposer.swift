import ClubProtocol
import Postgres
import ServiceKit

/// Makes the messages of letters.
struct LetterComposer: MailComposer {
    let backend: Backend
    let renderer: LetterRenderer
    let sender: EmailAddress
    let returnPath: ReturnPath?

    func message(for mail: OutgoingMail) async throws -> MailMessage {
        if mail.isTest == true, let test = try await LetterStore.test(in: mail.id, on: backend.database) {
            return renderer.message(mail, from: sender, showing: test)
        }
        // One letter at a time: the files of all that a connection has claimed can be fifty megabytes.
        let files = mail.hasFiles == true ? try await LetterStore.files(of: mail.id, on: backend.database) : []
        let link = try mail.consent.map { consent in
            try UnsubscribeLink(
                for: mail.email, in: mail.id.uuid, from: Suppression.Purpose(consent), at: mail.createdAt,
                in: backend.links, of: backend.configuration.publicURL,
                to: returnPath?.address(of: mail.id) ?? sender)
        }
        return renderer.message(mail, from: sender, with: files, unsubscribing: link)
    }
}
