import ClubProtocol
import ServiceKit

/// The letters of the directory, named after their templates.
///
/// A template has the subject in its first paragraph, then the letter's own, and at last, in brackets, the label of its
/// link if it has one. Paragraphs are separated by empty lines. The lines of a paragraph are joined by spaces; a line
/// that is empty once it is filled in is left out, and so is a paragraph without lines.
enum LetterTemplate: String, CaseIterable {
    case confirmation
    case contribution
    case receipt
    case referralInvitation, referralAnswer, referralOutcome
    case selfServiceLink
    case addressChange

    fileprivate var source: [UInt8] {
        switch self {
        case .confirmation: PackageResources.letter_confirmation_mustache
        case .contribution: PackageResources.letter_contribution_mustache
        case .receipt: PackageResources.letter_receipt_mustache
        case .referralInvitation: PackageResources.letter_referral_invitation_mustache
        case .referralAnswer: PackageResources.letter_referral_answer_mustache
        case .referralOutcome: PackageResources.letter_referral_outcome_mustache
        case .selfServiceLink: PackageResources.letter_self_service_link_mustache
        case .addressChange: PackageResources.letter_address_change_mustache
        }
    }

    var purpose: Letter.Purpose {
        switch self {
        case .confirmation: .confirmation
        case .contribution: .contribution
        case .receipt: .receipt
        case .referralInvitation, .referralAnswer, .referralOutcome: .notice
        case .selfServiceLink, .addressChange: .selfService
        }
    }
}

/// The texts of all letters, in French.
struct LetterTexts: Sendable {
    /// One letter's text, filled in.
    struct Text: Equatable {
        var subject: Line
        var paragraphs: [Prose]
        /// The label of the link; nil if the letter has none.
        var label: Line?
    }

    private struct Parsed {
        /// Each with its lines.
        var paragraphs: [[Template]]
        var label: Line?
    }

    private let letters: [LetterTemplate: Parsed]

    /// - Throws: errors in a template.
    init() throws {
        letters = try LetterTemplate.allCases.reduce(into: [:]) { $0[$1] = try Self.parse($1.source) }
    }

    /// - Parameter content: the values of the template; they are inserted unchanged.
    /// - Throws: `InvalidText` if a value cannot be in a letter.
    func text(_ letter: LetterTemplate, _ content: [String: Any]) throws -> Text {
        guard let parsed = letters[letter] else {
            preconditionFailure("every template is read when the texts are made")
        }
        let paragraphs = parsed.paragraphs.map { lines in
            lines.map { $0.render(content) }.filter { !$0.isEmpty }.joined(separator: " ")
        }
        return Text(
            subject: try Line(validating: paragraphs.first ?? ""),
            paragraphs: try paragraphs.dropFirst().filter { !$0.isEmpty }.map { try Prose(validating: $0) },
            label: parsed.label)
    }

    private static func parse(_ source: [UInt8]) throws -> Parsed {
        var paragraphs = String(decoding: source, as: UTF8.self).split(separator: "\n\n").map {
            $0.split(separator: "\n")
        }
        var label: Line?
        if let last = paragraphs.last?.first, last.hasPrefix("["), last.hasSuffix("]") {
            label = try Line(validating: String(last.dropFirst().dropLast()))
            paragraphs.removeLast()
        }
        return Parsed(
            paragraphs: try paragraphs.map { try $0.map { try Template(Array($0.utf8), escaping: .none) } },
            label: label)
    }
}
