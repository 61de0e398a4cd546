import ClubProtocol
import ServiceKit

/// Renders the pages behind the links in mails: French HTML from the templates, within `reader_layout.mustache`.
///
/// A mail is forwarded with its links: no page shows an address or a name in full.
struct ReaderPages: Sendable {
    private enum Page: String, CaseIterable {
        case leave, left, preferences, problem

        var source: [UInt8] {
            switch self {
            case .leave: PackageResources.reader_leave_mustache
            case .left: PackageResources.reader_left_mustache
            case .preferences: PackageResources.reader_preferences_mustache
            case .problem: PackageResources.reader_problem_mustache
            }
        }
    }

    /// What was just done, shown above the preferences.
    enum Done {
        case saved, left
        case back(Suppression.Purpose)
        /// It was too late for a return.
        case tooLate(Suppression.Purpose)
    }

    private let templates: [String: Template]

    /// - Throws: errors in a template.
    init() throws {
        var templates = ["layout": try Template(PackageResources.reader_layout_mustache, escaping: .html)]
        for page in Page.allCases { templates[page.rawValue] = try Template(page.source, escaping: .html) }
        self.templates = templates
    }

    private func html(_ page: Page, title: String, _ content: [String: Any]) -> String {
        guard let template = templates[page.rawValue] else {
            preconditionFailure("every page is read when the renderer is made")
        }
        return template.render(content.merging(["title": title]) { $1 }, with: templates)
    }

    // MARK: Leaving

    /// Asks, with one button.
    func leave(_ link: ReaderLink, from purpose: Suppression.Purpose, _ token: String) -> String {
        html(
            .leave, title: "Ne plus recevoir \(purpose.french)\u{202F}?",
            [
                "address": Self.masked(link.email), "what": purpose.french, "purpose": purpose.rawValue,
                "path": ReaderLink.preferences(token),
            ])
    }

    /// Confirms.
    ///
    /// - Parameter isFresh: whether a return is possible.
    func left(_ link: ReaderLink, from purpose: Suppression.Purpose, isFresh: Bool, _ token: String) -> String {
        html(
            .left, title: "Vous ne recevez plus \(purpose.french)",
            [
                "address": Self.masked(link.email), "what": purpose.french, "purpose": purpose.rawValue,
                "isFresh": isFresh, "days": ConsentReturn.days, "path": ReaderLink.preferences(token),
            ])
    }

    // MARK: Preferences

    /// The form, with what holds, or with what was submitted and is not valid.
    func preferences(
        _ link: ReaderLink, _ standing: ReaderStore.Standing, _ token: String, done: Done? = nil,
        sent: ChangePreferences.Body? = nil, errors: [String: String] = [:], today: Day = .today
    ) -> String {
        let kept = standing.preference ?? ReaderPreference()
        let kinds = Set(sent?.kinds ?? kept.kinds ?? IssueItem.Kind.allCases)
        let rhythm = sent?.rhythm ?? kept.rhythm
        // A pause that is over is none.
        let pause = kept.pausedUntil.flatMap { $0 > today ? $0.text : nil }
        let invitations = standing.departure(from: .eventInvitations)
        var content: [String: Any] = [
            "address": Self.masked(link.email), "path": ReaderLink.preferences(token),
            "isBarred": standing.isBarred, "hasErrors": !errors.isEmpty,
            "kinds": IssueItem.Kind.allCases.map { kind in
                ["code": kind.rawValue, "label": kind.french, "checked": kinds.contains(kind)] as [String: Any]
            },
            "rhythms": ReaderPreference.Rhythm.allCases.map { each in
                ["code": each.rawValue, "label": each.french, "checked": each == rhythm] as [String: Any]
            },
            "pausedUntil": sent.map { $0.pausedUntil ?? "" } ?? pause ?? "",
            "firstPause": today.adding(days: 1).text, "lastPause": PreferenceForm.lastPause(from: today).text,
            "canChooseInvitations": invitations?.isFresh != false,
            "wantsInvitations": sent.map { $0.eventInvitations ?? false } ?? (invitations == nil),
            "flashInfo": [
                "isLeft": standing.departure(from: .flashInfo) != nil,
                "isFresh": standing.departure(from: .flashInfo)?.isFresh == true,
            ],
            "hasAny": standing.departures.count < Suppression.Purpose.allCases.count,
        ]
        for (field, error) in errors { content["\(field)Error"] = error }
        switch done {
        case .tooLate: content["warning"] = done.map(Self.said)
        default: content["done"] = done.map(Self.said)
        }
        return html(.preferences, title: "Ce que vous recevez du Club", content)
    }

    private static func said(_ done: Done) -> String {
        switch done {
        case .saved: "Merci\u{A0}: vos préférences sont enregistrées."
        case .left: "C’est fait\u{A0}: le Club ne vous envoie plus ni Flash info, ni invitation."
        case .back(let purpose): "Merci\u{A0}: vous recevez de nouveau \(purpose.french)."
        case .tooLate(let purpose):
            "Vous avez quitté \(purpose.french) il y a plus de trente jours. Pour y revenir, écrivez au Club."
        }
    }

    // MARK: Problems

    /// What went wrong and what can be done, for people.
    @Sendable func problem(_ problem: Problem, _ requestID: String) -> String {
        let (title, advice) = Self.french(problem)
        return html(.problem, title: title, ["advice": advice, "requestID": requestID])
    }

    private static func french(_ problem: Problem) -> (title: String, advice: String) {
        switch problem.type {
        case .notFound:
            (
                "Ce lien n’est pas valable, ou ne l’est plus",
                "Il est peut-être incomplet ou trop ancien. Prenez celui de votre dernier message du Club."
            )
        case .erased:
            (
                "Le Club n’écrit plus à cette adresse",
                "Tout ce qu’il en savait a été effacé à la demande de son titulaire\u{A0}: il n’y a rien à régler."
            )
        case .malformed, .invalid, .contentTooLarge, .uriTooLong, .unsupportedMediaType:
            (
                "La demande n’a pas été comprise",
                "Revenez à la page précédente, vérifiez ce que vous avez choisi, puis recommencez."
            )
        case .tooManyRequests, .overloaded, .requestTimeout:
            ("Trop de demandes à la fois", "Attendez une minute, puis recommencez.")
        default: ("Le service est momentanément indisponible", "Réessayez dans quelques minutes.")
        }
    }

    // MARK: Addresses

    /// `j…@e….org`: enough for those whose address it is.
    static func masked(_ email: EmailAddress) -> String {
        let parts = email.text.split(atByte: UInt8(ascii: "@"))
        guard parts.count == 2, let ending = parts[1].split(atByte: UInt8(ascii: ".")).last else { return "…" }
        return "\(parts[0].prefix(scalars: 1))…@\(parts[1].prefix(scalars: 1))….\(ending)"
    }
}

extension Suppression.Purpose {
    /// With its article, in the middle of a sentence.
    var french: String {
        switch self {
        case .flashInfo: "le Flash info"
        case .eventInvitations: "les invitations du Club"
        }
    }
}

extension ReaderPreference.Rhythm {
    fileprivate var french: String {
        switch self {
        case .everyIssue: "Chaque numéro"
        case .monthly: "Un numéro par mois au plus"
        }
    }
}
