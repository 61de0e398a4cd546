import ClubProtocol

/// A country as people name it in a table.
struct Country: Hashable {
    /// ISO 3166-1, alpha-2.
    let code: String

    /// By its two- or three-letter code, by its vehicle registration code, or by its name in French or English.
    ///
    /// - Parameter text: not recognized if longer than any name.
    init?(named text: String) {
        let key = Folding.key(String(text.prefix(scalars: 80)))
        if let code = Self.codes[key] {
            self.code = code
        } else if key.hasBytePrefix("france") {
            // `France métropolitaine`, `France (Outre-mer)`; every other part of France has a name of its own.
            code = "FR"
        } else {
            return nil
        }
    }

    /// Whether it uses French postal codes.
    var isOfFrenchPost: Bool { code == "FR" || Self.territories[code] != nil }

    /// Its département: a territory has its own, France has none, any other country has the one for abroad.
    var departement: Departement? { code == "FR" ? nil : Self.territories[code] ?? .abroad }

    private static let territories: [String: Departement] = [
        "BL": "977", "GF": "973", "GP": "971", "MC": "980", "MF": "978", "MQ": "972", "NC": "988", "PF": "987",
        "PM": "975", "RE": "974", "WF": "986", "YT": "976",
    ]

    /// By folded names.
    private static let codes: [String: String] = {
        var codes: [String: String] = [:]
        for entry in table.split(separator: ";") + others.split(separator: ";") {
            let names = entry.split(separator: "=")
            for name in names {
                // The first entry with a name keeps it: ISO codes come before vehicle registration codes.
                let key = Folding.key(String(name).replacing("&", with: "and"))
                codes[key] = codes[key] ?? String(names[0])
            }
        }
        return codes
    }()

    /// Other names that people write.
    private static let others = """
        AT=A;BE=B=Belgie=Belgien;CD=RDC;CI=Ivory Coast;CH=Helvétie=Schweiz=Svizzera;CZ=République tchèque=Czech Republic;\
        DE=D=Deutschland;ES=E=España;FR=F=Métropole;GB=UK=Grande-Bretagne=Great Britain=Angleterre=England=Écosse=Scotland=\
        Pays de Galles=Wales=Irlande du Nord=Northern Ireland;IT=I=Italia;LU=L=Grand-Duché de Luxembourg;\
        MC=Principauté de Monaco;MK=Macédoine=Macedonia;MM=Birmanie=Burma;NL=Hollande=Holland=The Netherlands=Nederland;PT=P;RE=Réunion;SZ=Swaziland;TR=Turkey;VA=Vatican;US=USA=Etats-Unis d'Amérique=\
        United States of America
        """

    /// Both codes of ISO 3166-1, and the names of Unicode's CLDR in French and English and of ISO in English.
    private static let table = """
        AD=AND=Andorre=Andorra;AE=ARE=Émirats arabes unis=United Arab Emirates;AF=AFG=Afghanistan;\
        AG=ATG=Antigua-et-Barbuda=Antigua & Barbuda;AI=AIA=Anguilla;AL=ALB=Albanie=Albania;AM=ARM=Arménie=Armenia;\
        AO=AGO=Angola;AQ=ATA=Antarctique=Antarctica;AR=ARG=Argentine=Argentina;\
        AS=ASM=Samoa américaines=American Samoa;AT=AUT=Autriche=Austria;AU=AUS=Australie=Australia;AW=ABW=Aruba;\
        AX=ALA=Îles Åland=Åland Islands;AZ=AZE=Azerbaïdjan=Azerbaijan;\
        BA=BIH=Bosnie-Herzégovine=Bosnia & Herzegovina;BB=BRB=Barbade=Barbados;BD=BGD=Bangladesh;\
        BE=BEL=Belgique=Belgium;BF=BFA=Burkina Faso;BG=BGR=Bulgarie=Bulgaria;BH=BHR=Bahreïn=Bahrain;BI=BDI=Burundi;\
        BJ=BEN=Bénin;BL=BLM=Saint-Barthélemy=St. Barthélemy;BM=BMU=Bermudes=Bermuda;BN=BRN=Brunei=Brunei Darussalam;\
        BO=BOL=Bolivie=Bolivia=Bolivia, Plurinational State of;\
        BQ=BES=Pays-Bas caribéens=Caribbean Netherlands=Bonaire, Sint Eustatius and Saba;BR=BRA=Brésil=Brazil;\
        BS=BHS=Bahamas;BT=BTN=Bhoutan=Bhutan;BV=BVT=Île Bouvet=Bouvet Island;BW=BWA=Botswana;\
        BY=BLR=Biélorussie=Belarus;BZ=BLZ=Belize;CA=CAN=Canada;CC=CCK=Îles Cocos=Cocos (Keeling) Islands;\
        CD=COD=Congo-Kinshasa=Congo, The Democratic Republic of the;\
        CF=CAF=République centrafricaine=Central African Republic;CG=COG=Congo-Brazzaville=Congo;\
        CH=CHE=Suisse=Switzerland;CI=CIV=Côte d'Ivoire;CK=COK=Îles Cook=Cook Islands;CL=CHL=Chili=Chile;\
        CM=CMR=Cameroun=Cameroon;CN=CHN=Chine=China;CO=COL=Colombie=Colombia;CR=CRI=Costa Rica;CU=CUB=Cuba;\
        CV=CPV=Cap-Vert=Cape Verde=Cabo Verde;CW=CUW=Curaçao;CX=CXR=Île Christmas=Christmas Island;\
        CY=CYP=Chypre=Cyprus;CZ=CZE=Tchéquie=Czechia;DE=DEU=Allemagne=Germany;DJ=DJI=Djibouti;\
        DK=DNK=Danemark=Denmark;DM=DMA=Dominique=Dominica;DO=DOM=République dominicaine=Dominican Republic;\
        DZ=DZA=Algérie=Algeria;EC=ECU=Équateur=Ecuador;EE=EST=Estonie=Estonia;EG=EGY=Égypte=Egypt;\
        EH=ESH=Sahara occidental=Western Sahara;ER=ERI=Érythrée=Eritrea;ES=ESP=Espagne=Spain;\
        ET=ETH=Éthiopie=Ethiopia;FI=FIN=Finlande=Finland;FJ=FJI=Fidji=Fiji;\
        FK=FLK=Îles Malouines=Falkland Islands=Falkland Islands (Malvinas);\
        FM=FSM=Micronésie=Micronesia=Micronesia, Federated States of;FO=FRO=Îles Féroé=Faroe Islands;FR=FRA=France;\
        GA=GAB=Gabon;GB=GBR=Royaume-Uni=United Kingdom;GD=GRD=Grenade=Grenada;GE=GEO=Géorgie=Georgia;\
        GF=GUF=Guyane française=French Guiana;GG=GGY=Guernesey=Guernsey;GH=GHA=Ghana;GI=GIB=Gibraltar;\
        GL=GRL=Groenland=Greenland;GM=GMB=Gambie=Gambia;GN=GIN=Guinée=Guinea;GP=GLP=Guadeloupe;\
        GQ=GNQ=Guinée équatoriale=Equatorial Guinea;GR=GRC=Grèce=Greece;\
        GS=SGS=Géorgie du Sud-et-les Îles Sandwich du Sud=South Georgia & South Sandwich Islands=South Georgia and the South Sandwich Islands;\
        GT=GTM=Guatemala;GU=GUM=Guam;GW=GNB=Guinée-Bissau=Guinea-Bissau;GY=GUY=Guyana;\
        HK=HKG=R.A.S. chinoise de Hong Kong=Hong Kong SAR China=Hong Kong;\
        HM=HMD=Îles Heard-et-MacDonald=Heard Island & McDonald Islands;HN=HND=Honduras;HR=HRV=Croatie=Croatia;\
        HT=HTI=Haïti;HU=HUN=Hongrie=Hungary;ID=IDN=Indonésie=Indonesia;IE=IRL=Irlande=Ireland;IL=ISR=Israël;\
        IM=IMN=Île de Man=Isle of Man;IN=IND=Inde=India;\
        IO=IOT=Territoire britannique de l'océan Indien=British Indian Ocean Territory;IQ=IRQ=Irak=Iraq;\
        IR=IRN=Iran=Iran, Islamic Republic of;IS=ISL=Islande=Iceland;IT=ITA=Italie=Italy;JE=JEY=Jersey;\
        JM=JAM=Jamaïque=Jamaica;JO=JOR=Jordanie=Jordan;JP=JPN=Japon=Japan;KE=KEN=Kenya;\
        KG=KGZ=Kirghizstan=Kyrgyzstan;KH=KHM=Cambodge=Cambodia;KI=KIR=Kiribati;KM=COM=Comores=Comoros;\
        KN=KNA=Saint-Christophe-et-Niévès=St. Kitts & Nevis=Saint Kitts and Nevis;\
        KP=PRK=Corée du Nord=North Korea=Korea, Democratic People's Republic of;\
        KR=KOR=Corée du Sud=South Korea=Korea, Republic of;KW=KWT=Koweït=Kuwait;KY=CYM=Îles Caïmans=Cayman Islands;\
        KZ=KAZ=Kazakhstan;LA=LAO=Laos=Lao People's Democratic Republic;LB=LBN=Liban=Lebanon;\
        LC=LCA=Sainte-Lucie=St. Lucia=Saint Lucia;LI=LIE=Liechtenstein;LK=LKA=Sri Lanka;LR=LBR=Liberia;\
        LS=LSO=Lesotho;LT=LTU=Lituanie=Lithuania;LU=LUX=Luxembourg;LV=LVA=Lettonie=Latvia;LY=LBY=Libye=Libya;\
        MA=MAR=Maroc=Morocco;MC=MCO=Monaco;MD=MDA=Moldavie=Moldova=Moldova, Republic of;ME=MNE=Monténégro;\
        MF=MAF=Saint-Martin=St. Martin=Saint Martin (French part);MG=MDG=Madagascar;\
        MH=MHL=Îles Marshall=Marshall Islands;MK=MKD=Macédoine du Nord=North Macedonia;ML=MLI=Mali;\
        MM=MMR=Myanmar (Birmanie)=Myanmar (Burma)=Myanmar;MN=MNG=Mongolie=Mongolia;\
        MO=MAC=R.A.S. chinoise de Macao=Macao SAR China=Macao;\
        MP=MNP=Îles Mariannes du Nord=Northern Mariana Islands;MQ=MTQ=Martinique;MR=MRT=Mauritanie=Mauritania;\
        MS=MSR=Montserrat;MT=MLT=Malte=Malta;MU=MUS=Maurice=Mauritius;MV=MDV=Maldives;MW=MWI=Malawi;\
        MX=MEX=Mexique=Mexico;MY=MYS=Malaisie=Malaysia;MZ=MOZ=Mozambique;NA=NAM=Namibie=Namibia;\
        NC=NCL=Nouvelle-Calédonie=New Caledonia;NE=NER=Niger;NF=NFK=Île Norfolk=Norfolk Island;NG=NGA=Nigeria;\
        NI=NIC=Nicaragua;NL=NLD=Pays-Bas=Netherlands;NO=NOR=Norvège=Norway;NP=NPL=Népal;NR=NRU=Nauru;NU=NIU=Niue;\
        NZ=NZL=Nouvelle-Zélande=New Zealand;OM=OMN=Oman;PA=PAN=Panama;PE=PER=Pérou=Peru;\
        PF=PYF=Polynésie française=French Polynesia;PG=PNG=Papouasie-Nouvelle-Guinée=Papua New Guinea;\
        PH=PHL=Philippines;PK=PAK=Pakistan;PL=POL=Pologne=Poland;\
        PM=SPM=Saint-Pierre-et-Miquelon=St. Pierre & Miquelon=Saint Pierre and Miquelon;\
        PN=PCN=Îles Pitcairn=Pitcairn Islands=Pitcairn;PR=PRI=Porto Rico=Puerto Rico;\
        PS=PSE=Territoires palestiniens=Palestinian Territories=Palestine, State of;PT=PRT=Portugal;\
        PW=PLW=Palaos=Palau;PY=PRY=Paraguay;QA=QAT=Qatar;RE=REU=La Réunion=Réunion;RO=ROU=Roumanie=Romania;\
        RS=SRB=Serbie=Serbia;RU=RUS=Russie=Russia=Russian Federation;RW=RWA=Rwanda;\
        SA=SAU=Arabie saoudite=Saudi Arabia;SB=SLB=Îles Salomon=Solomon Islands;SC=SYC=Seychelles;\
        SD=SDN=Soudan=Sudan;SE=SWE=Suède=Sweden;SG=SGP=Singapour=Singapore;\
        SH=SHN=Sainte-Hélène=St. Helena, Ascension & Tristan da Cunha=Saint Helena, Ascension and Tristan da Cunha;\
        SI=SVN=Slovénie=Slovenia;SJ=SJM=Svalbard et Jan Mayen=Svalbard & Jan Mayen;SK=SVK=Slovaquie=Slovakia;\
        SL=SLE=Sierra Leone;SM=SMR=Saint-Marin=San Marino;SN=SEN=Sénégal;SO=SOM=Somalie=Somalia;SR=SUR=Suriname;\
        SS=SSD=Soudan du Sud=South Sudan;ST=STP=Sao Tomé-et-Principe=São Tomé & Príncipe;\
        SV=SLV=Salvador=El Salvador;\
        SX=SXM=Saint-Martin (partie néerlandaise)=Sint Maarten=Sint Maarten (Dutch part);\
        SY=SYR=Syrie=Syria=Syrian Arab Republic;SZ=SWZ=Eswatini;\
        TC=TCA=Îles Turques-et-Caïques=Turks & Caicos Islands;TD=TCD=Tchad=Chad;\
        TF=ATF=Terres australes françaises=French Southern and Antarctic Lands=French Southern Territories;\
        TG=TGO=Togo;TH=THA=Thaïlande=Thailand;TJ=TJK=Tadjikistan=Tajikistan;TK=TKL=Tokelau;\
        TL=TLS=Timor oriental=Timor-Leste;TM=TKM=Turkménistan;TN=TUN=Tunisie=Tunisia;TO=TON=Tonga;\
        TR=TUR=Turquie=Türkiye;TT=TTO=Trinité-et-Tobago=Trinidad & Tobago;TV=TUV=Tuvalu;\
        TW=TWN=Taïwan=Taiwan, Province of China;TZ=TZA=Tanzanie=Tanzania=Tanzania, United Republic of;\
        UA=UKR=Ukraine;UG=UGA=Ouganda=Uganda;\
        UM=UMI=Îles mineures éloignées des États-Unis=U.S. Outlying Islands=United States Minor Outlying Islands;\
        US=USA=États-Unis=United States;UY=URY=Uruguay;UZ=UZB=Ouzbékistan=Uzbekistan;\
        VA=VAT=État de la Cité du Vatican=Vatican City=Holy See (Vatican City State);\
        VC=VCT=Saint-Vincent-et-les Grenadines=St. Vincent & Grenadines=Saint Vincent and the Grenadines;\
        VE=VEN=Venezuela=Venezuela, Bolivarian Republic of;\
        VG=VGB=Îles Vierges britanniques=British Virgin Islands=Virgin Islands, British;\
        VI=VIR=Îles Vierges des États-Unis=U.S. Virgin Islands=Virgin Islands, U.S.;VN=VNM=Viêt Nam;VU=VUT=Vanuatu;\
        WF=WLF=Wallis-et-Futuna=Wallis & Futuna;WS=WSM=Samoa;YE=YEM=Yémen;YT=MYT=Mayotte;\
        ZA=ZAF=Afrique du Sud=South Africa;ZM=ZMB=Zambie=Zambia;ZW=ZWE=Zimbabwe
        """
}
