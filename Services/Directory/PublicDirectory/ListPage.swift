import ClubProtocol

/// A page of a public list: the search form, the results, and links to other pages.
struct ListPage {
    /// The kind of list.
    struct Subject {
        /// `Experts`
        let name: String
        let path: String
        let heading: String
        let introduction: String
        let description: String
        /// Labels that differ between the lists: of the département field, and of "any kind".
        let departementLabel: String
        let regionLabel: String
        let kindLabel: String
        let anyKind: String
        let kinds: [(code: String, label: String)]
        /// Whether the form has fields for a brand and for a nearby place.
        let hasBrands: Bool
        let everything: String
        /// The texts for a search without results, and for an empty list.
        let nothingFound: String
        let nothing: String
        /// What to try instead of a single département, and instead of a single kind.
        let wider: (departement: String, kind: String)
    }

    /// The search, as encoded in the URL of a page; empty fields are omitted.
    struct Search: Encodable {
        var q: String?
        var departement: Departement?
        var region: Region?
        var theme: Topic?
        var type: String?
        var marque: String?
        /// The nearest to this come first.
        var pres: PostalCode?
        var apres: String?
        var avant: String?

        var isFiltered: Bool {
            q != nil || departement != nil || region != nil || theme != nil || type != nil || marque != nil
                || pres != nil
        }
    }

    /// An entry of the list.
    struct Item {
        /// In the form of `ListPosition`.
        let position: String
        let name: Line
        let link: String
        let line: String
        let topics: [Topic]
    }

    let subject: Subject
    let search: Search
    let slice: PublicSlice
    let words: PublicWords

    /// `Experts – Cybersécurité – Pyrénées-Atlantiques (64)`
    var title: String {
        [
            subject.name, search.marque, search.theme.map { words.label(of: $0) },
            search.region.map { words.name(of: $0) }, search.departement.map { "\($0.name) (\($0.text))" },
            search.pres.map { "près de \($0)" },
        ].compactMap(\.self).joined(separator: " – ")
    }

    func content() throws -> [String: Any] {
        let shown = slice.items
        // Search engines should not index searches or further pages.
        let isIndexed = !search.isFiltered && slice.isFirst
        var content: [String: Any] = [
            "heading": subject.heading, "introduction": subject.introduction, "description": subject.description,
            "path": subject.path, "indexed": isIndexed, "filtered": search.isFiltered, "q": search.q ?? "",
            "tabs": Subject.all.map {
                ["name": $0.name, "path": $0.path, "current": $0.path == subject.path] as [String: Any]
            },
            "departementLabel": subject.departementLabel,
            "departements": words.departements(selected: search.departement),
            "regionLabel": subject.regionLabel, "regions": words.regions(selected: search.region),
            "topics": words.topics(selected: search.theme),
            "kindLabel": subject.kindLabel, "anyKind": subject.anyKind,
            "kinds": subject.kinds.map {
                ["code": $0.code, "label": $0.label, "selected": $0.code == search.type] as [String: Any]
            },
            "hasBrands": subject.hasBrands, "marque": search.marque ?? "", "pres": search.pres?.text ?? "",
            "resultsTitle": search.isFiltered ? "Résultats" : subject.everything,
            "hasItems": !shown.isEmpty,
            "items": shown.map {
                [
                    "name": $0.name.text, "link": $0.link, "line": $0.line, "hasTopics": !$0.topics.isEmpty,
                    "topics": words.labels(of: $0.topics),
                ] as [String: Any]
            },
            "empty": empty, "hasAdvice": !advice.isEmpty, "advice": advice,
        ]
        if !slice.isFirst { content["first"] = try address() }
        if !slice.isFirst, search.pres == nil, let first = shown.first {
            content["previous"] = try address(before: first.position)
        }
        if slice.hasNext, let last = shown.last { content["next"] = try address(after: last.position) }
        content["paged"] = !slice.isFirst || slice.hasNext
        return isIndexed ? content.merging(words.canonical(subject.path)) { $1 } : content
    }

    private var empty: String {
        if !slice.isFirst { return "La liste s’arrête ici." }
        return search.isFiltered ? subject.nothingFound : subject.nothing
    }

    private var advice: [String] {
        guard slice.isFirst else { return [] }
        return [
            search.q.map { _ in "Vérifiez l’orthographe, ou cherchez un seul mot du nom ou la commune." },
            search.marque.map { _ in "Cherchez sans la marque\u{A0}: peu d’experts les citent toutes." },
            search.theme.map { _ in "Choisissez un thème voisin, ou tous les thèmes." },
            search.departement == nil && search.region == nil ? nil : subject.wider.departement,
            search.type.map { _ in subject.wider.kind },
        ].compactMap(\.self)
    }

    /// The URL of another page of the same search.
    private func address(after last: String? = nil, before first: String? = nil) throws -> String {
        var other = search
        (other.apres, other.avant) = (last, first)
        let parameters = try FlatCoding.encodeQuery(other)
        return parameters.isEmpty ? subject.path : "\(subject.path)?\(parameters)"
    }
}

/// The part of a list that one page shows.
struct PublicSlice {
    let items: [ListPage.Item]
    let isFirst: Bool
    let hasNext: Bool
}

extension ListPage.Subject {
    static let all = [experts, members]

    static let experts = ListPage.Subject(
        name: "Experts", path: "/annuaire", heading: "Trouver un expert",
        introduction:
            "Les agences web et les revendeurs qui travaillent avec les très petites entreprises et ont accepté de figurer dans cet annuaire.",
        description: "Annuaire des agences web et des revendeurs qui aident les très petites entreprises à s’équiper.",
        departementLabel: "Intervient dans le département", regionLabel: "Intervient dans la région",
        kindLabel: "Activité", anyKind: "Agences web et revendeurs",
        kinds: Expert.SubKind.allCases.map { ($0.rawValue, $0.french) }, hasBrands: true,
        everything: "Tous les experts",
        nothingFound: "Aucun expert ne correspond à cette recherche.",
        nothing: "Aucun expert ne figure encore dans l’annuaire.",
        wider: (
            "Cherchez dans toute la France\u{A0}: beaucoup d’experts travaillent à distance.",
            "Cherchez parmi les agences web et les revendeurs à la fois."
        ))

    static let members = ListPage.Subject(
        name: "Membres du Club", path: "/annuaire/membres", heading: "Les membres du Club",
        introduction: "Les réseaux d’accompagnement et les marques qui sont membres du Club aujourd’hui.",
        description: "Les réseaux d’accompagnement et les marques membres du Club de l’économie numérique.",
        departementLabel: "Département", regionLabel: "Région", kindLabel: "Qualité",
        anyKind: "Institutions et marques",
        kinds: PublicMember.Kind.allCases.map { ($0.rawValue, $0.french) }, hasBrands: false,
        everything: "Tous les membres",
        nothingFound: "Aucun membre ne correspond à cette recherche.",
        nothing: "Aucun membre n’est encore inscrit.",
        wider: (
            "Cherchez dans toute la France\u{A0}: le siège est souvent ailleurs.",
            "Cherchez parmi les institutions et les marques à la fois."
        ))
}
