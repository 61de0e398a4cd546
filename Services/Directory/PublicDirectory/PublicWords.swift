import ClubProtocol

/// The French texts of the public directory's pages.
struct PublicWords {
    let topics: [(code: Topic, label: String)]
    let regions: [(code: Region, name: String)]
    private let labels: [Topic: String]
    /// The public base URL of the service; nil if not configured.
    private let publicURL: String?

    init(
        topics: [(code: Topic, label: String)], regions: [(code: Region, name: String)], publicURL: String?
    ) {
        self.topics = topics
        self.regions = regions
        self.publicURL = publicURL
        labels = Dictionary(topics.map { ($0.code, $0.label) }, uniquingKeysWith: { $1 })
    }

    func label(of topic: Topic) -> String { labels[topic] ?? topic.text }

    func labels(of topics: [Topic]) -> [String] { topics.map { label(of: $0) } }

    /// The canonical URL of a page, for search engines.
    func canonical(_ path: String) -> [String: Any] {
        publicURL.map { ["canonical": $0 + path] } ?? [:]
    }

    // MARK: Options of a form

    func departements(selected: Departement?) -> [[String: Any]] {
        Departement.all.map { departement in
            [
                "code": departement.text, "label": "\(departement.text) – \(departement.name)",
                "selected": departement == selected,
            ]
        }
    }

    func regions(selected: Region?) -> [[String: Any]] {
        regions.map { ["code": $0.code.text, "label": $0.name, "selected": $0.code == selected] }
    }

    func name(of region: Region) -> String { regions.first { $0.code == region }?.name ?? region.text }

    func topics(selected: Topic?) -> [[String: Any]] {
        topics.map { ["code": $0.code.text, "label": $0.label, "selected": $0.code == selected] }
    }

    // MARK: Profiles

    func content(of expert: PublicExpert) -> [String: Any] {
        let kind = expert.subKind.french
        let place = "\(expert.commune) (\(expert.departement.name), \(expert.departement.text))"
        var content: [String: Any] = [
            "name": expert.name.text, "kind": kind, "place": place,
            "description": "\(expert.name), \(kind.lowercased()) à \(expert.commune)\u{A0}: "
                + (labels(of: expert.topics).joined(separator: ", ").nonEmpty ?? "services numériques")
                + " pour les très petites entreprises.",
            "departements": expert.departements.map { ["label": "\($0.name) (\($0.text))"] },
            "hasTopics": !expert.topics.isEmpty,
            "topics": links(to: expert.topics, in: "/annuaire"),
            "hasBrands": !expert.brands.isEmpty,
            "brands": expert.brands.map(\.text),
        ]
        if let website = expert.website { content["website"] = website.text }
        return content.merging(canonical("/annuaire/experts/\(expert.id)")) { $1 }
    }

    func content(of member: PublicMember) -> [String: Any] {
        var content: [String: Any] = [
            "name": member.name.text, "kind": member.french,
            "description": "\(member.name), membre du Club de l’économie numérique.",
            "hasTopics": !member.topics.isEmpty,
            "topics": links(to: member.topics, in: "/annuaire/membres"),
        ]
        if let place = member.place { content["place"] = place }
        if let website = member.website { content["website"] = website.text }
        return content.merging(canonical("/annuaire/membres/\(member.id)")) { $1 }
    }

    private func links(to topics: [Topic], in list: String) -> [[String: Any]] {
        topics.map { ["label": label(of: $0), "link": "\(list)?theme=\($0.text)"] }
    }
}

extension Expert.SubKind {
    /// In the club's own words.
    var french: String {
        switch self {
        case .webAgency: "Agence web"
        case .reseller: "Revendeur"
        }
    }
}

extension PublicMember.Kind {
    var french: String {
        switch self {
        case .institution: "Institution"
        case .brand: "Marque"
        }
    }
}

extension PublicMember {
    /// The kind of member, in the club's own words.
    var french: String {
        switch subKind {
        case .accountingCentre: "Centre de gestion"
        case .federation: "Fédération professionnelle"
        case .regulatedProfession: "Profession réglementée"
        case .digitalSpaceNetwork: "Réseau d’espaces numériques"
        case .regionalAgency: "Agence régionale du numérique"
        case .chamber: "Chambre consulaire"
        case .government: "Administration"
        case .webAgency, .reseller, nil: kind == .brand ? "Marque" : "Institution"
        }
    }

    /// Its place, as far as known.
    var place: String? {
        switch (commune, departement) {
        case (let commune?, let departement?): "\(commune) (\(departement.name), \(departement.text))"
        case (let commune?, nil): commune.text
        case (nil, let departement?): "\(departement.name) (\(departement.text))"
        case (nil, nil): nil
        }
    }
}

extension String {
    var nonEmpty: String? { isEmpty ? nil : self }
}
