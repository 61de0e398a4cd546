import ClubProtocol
import Foundation
import Mustache

/// Makes the mail of a letter: French text and HTML from the templates.
struct LetterRenderer: Sendable {
    private let text: MustacheTemplate
    private let html: MustacheTemplate

    init() throws {
        // The text must not be HTML-escaped: mustache's own content type for text.
        text = try MustacheTemplate(
            string: "{{% CONTENT_TYPE:TEXT}}" + String(decoding: PackageResources.letter_text_mustache, as: UTF8.self))
        html = try MustacheTemplate(string: HTMLTemplate.source(PackageResources.letter_html_mustache))
    }

    func message(_ letter: LetterStore.Claimed, from sender: EmailAddress) -> MailMessage {
        var content: [String: Any] = ["subject": letter.subject, "paragraphs": letter.paragraphs]
        if let name = letter.name { content["name"] = name }
        if let label = letter.actionLabel, let url = letter.actionURL {
            content["action"] = ["label": label, "url": url]
        }
        return MailMessage(
            id: letter.id, from: .init(name: "Club de l’économie numérique", address: sender),
            to: .init(name: letter.name, address: letter.email), subject: letter.subject, date: Date(),
            text: text.render(content), html: html.render(content),
            headers: [(name: "Auto-Submitted", value: "auto-generated")])
    }
}
