import ClubProtocol
import ServiceKit

/// Makes the messages of letters.
struct LetterComposer: MailComposer {
    let renderer: LetterRenderer
    let sender: EmailAddress

    func message(for mail: OutgoingMail) -> MailMessage { renderer.message(mail, from: sender) }
}
