import ClubProtocol
import HTTPTypes
import ServiceKit

/// Renders the pages of the directory: French HTML from the templates, all within `layout.mustache`.
///
/// A page works without scripts and loads nothing from elsewhere: the response's `Content-Security-Policy` would block
/// it.
struct PageRenderer: Sendable {
    /// The pages, named after their templates, which begin with `{{<layout}}`.
    enum Page: String, CaseIterable {
        case problem
        case receipt
        case contributionCall = "contribution_call"
        case selfLinkRequest = "self_link_request"
        case selfRecord = "self"
        case selfForm = "self_form"
        case referral
        case referralOffer = "referral_offer"
        case publicList, publicExpert, publicMember

        fileprivate var source: [UInt8] {
            switch self {
            case .problem: PackageResources.problem_mustache
            case .receipt: PackageResources.receipt_mustache
            case .contributionCall: PackageResources.contribution_call_mustache
            case .selfLinkRequest: PackageResources.self_link_request_mustache
            case .selfRecord: PackageResources.self_mustache
            case .selfForm: PackageResources.self_form_mustache
            case .referral: PackageResources.referral_mustache
            case .referralOffer: PackageResources.referral_offer_mustache
            case .publicList: PackageResources.public_list_mustache
            case .publicExpert: PackageResources.public_expert_mustache
            case .publicMember: PackageResources.public_member_mustache
            }
        }
    }

    private let templates: [String: Template]

    /// - Throws: errors in a template.
    init() throws {
        var templates = ["layout": try Template(PackageResources.layout_mustache, escaping: .html)]
        for page in Page.allCases { templates[page.rawValue] = try Template(page.source, escaping: .html) }
        self.templates = templates
    }

    /// The whole page. Values are escaped where the template has `{{name}}`.
    func html(_ page: Page, title: String, _ content: [String: Any] = [:]) -> String {
        guard let template = templates[page.rawValue] else {
            preconditionFailure("every page is read when the renderer is made")
        }
        return template.render(content.merging(["title": title]) { $1 }, with: templates)
    }

    /// Makes operations that respond with pages report their problems as pages, too.
    func mountProblems(on builder: inout ServiceBuilder) {
        builder.routes.problemPage(below: ["/annuaire"], problemPage)
    }

    @Sendable private func problemPage(_ problem: Problem, _ requestID: String) -> String {
        let (title, advice) = Self.french(problem)
        return html(
            .problem, title: title,
            [
                "advice": advice, "requestID": requestID,
                "isAbsent": [.notFound, .noLongerShown].contains(problem.type),
            ])
    }

    /// What went wrong and what can be done, for people. The details of a problem are in English, for callers of the
    /// API.
    private static func french(_ problem: Problem) -> (title: String, advice: String) {
        switch problem.type {
        case .notFound:
            (
                "Cette page n’existe pas, ou plus",
                "Le lien est peut-être incomplet ou trop ancien. Reprenez-le dans votre dernier message du Club, ou demandez-en un autre."
            )
        case .noLongerShown:
            (
                "Cette fiche n’est plus publiée",
                "Elle a été retirée de l’annuaire, ou n’a pas été confirmée depuis longtemps. Cherchez-en une autre dans l’annuaire."
            )
        case .methodNotAllowed: ("Cela ne se fait pas ainsi", "Revenez à la page précédente.")
        case .unauthenticated, .forbidden: ("Accès refusé", "Vous n’avez pas le droit de voir cette page.")
        case .referralTaken, .referralClosed:
            (
                "Ce besoin n’est plus à prendre",
                "D’autres experts l’ont accepté avant vous, ou la demande a été close. Merci d’avoir répondu."
            )
        case .conflict, .alreadyExists, .transitionNotAllowed, .stale:
            (
                "Cela n’est pas possible en l’état",
                "La fiche a changé entre-temps. Revenez à la page précédente et rechargez-la."
            )
        case .malformed, .invalid, .contentTooLarge, .uriTooLong, .unsupportedMediaType:
            (
                "La demande n’a pas été comprise",
                "Revenez à la page précédente, vérifiez ce que vous avez saisi, puis recommencez."
            )
        case .tooManyRequests, .overloaded, .requestTimeout:
            ("Trop de demandes à la fois", "Attendez une minute, puis recommencez.")
        default: ("Le service est momentanément indisponible", "Réessayez dans quelques minutes.")
        }
    }
}

extension RouteResponse where Value == TextDocument {
    /// A page that reports an error in the one before.
    static func text(_ text: String, status: HTTPResponse.Status) -> RouteResponse {
        var answer = RouteResponse.text(text)
        answer.status = status
        return answer
    }
}
