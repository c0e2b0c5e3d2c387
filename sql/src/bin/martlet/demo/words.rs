//! Names and words of the demo mart. They are made up where they could be somebody's.

/// A place with its names in its own script.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) city: &'static str,
    pub(super) region: &'static str,
    pub(super) country: &'static str,
    pub(super) country_code: &'static str,
    pub(super) time_zone: &'static str,
    pub(super) currency: &'static str,
    pub(super) language: &'static str,
    /// In hundredths of a degree.
    pub(super) latitude: i32,
    /// In hundredths of a degree.
    pub(super) longitude: i32,
    /// In percent.
    pub(super) tax_percent: i64,
}

macro_rules! places {
    ($($city:literal, $region:literal, $country:literal, $code:literal, $zone:literal,
       $currency:literal, $language:literal, $latitude:literal, $longitude:literal, $tax:literal;)*) => {
        &[$(Place {
            city: $city, region: $region, country: $country, country_code: $code,
            time_zone: $zone, currency: $currency, language: $language,
            latitude: $latitude, longitude: $longitude, tax_percent: $tax,
        }),*]
    };
}

/// Where customers live, the most frequent first.
pub(super) const PLACES: &[Place] = places! {
    "Berlin", "Berlin", "Deutschland", "DE", "Europe/Berlin", "EUR", "de", 5252, 1340, 19;
    "München", "Bayern", "Deutschland", "DE", "Europe/Berlin", "EUR", "de", 4814, 1158, 19;
    "Paris", "Île-de-France", "France", "FR", "Europe/Paris", "EUR", "fr", 4886, 235, 20;
    "London", "Greater London", "United Kingdom", "GB", "Europe/London", "GBP", "en", 5151, -13, 20;
    "Köln", "Nordrhein-Westfalen", "Deutschland", "DE", "Europe/Berlin", "EUR", "de", 5094, 696, 19;
    "Wien", "Wien", "Österreich", "AT", "Europe/Vienna", "EUR", "de", 4821, 1637, 20;
    "Zürich", "Zürich", "Schweiz", "CH", "Europe/Zurich", "CHF", "de", 4737, 854, 8;
    "Hamburg", "Hamburg", "Deutschland", "DE", "Europe/Berlin", "EUR", "de", 5355, 999, 19;
    "Warszawa", "Mazowieckie", "Polska", "PL", "Europe/Warsaw", "PLN", "pl", 5223, 2101, 23;
    "Lyon", "Auvergne-Rhône-Alpes", "France", "FR", "Europe/Paris", "EUR", "fr", 4576, 484, 20;
    "Madrid", "Comunidad de Madrid", "España", "ES", "Europe/Madrid", "EUR", "es", 4042, -370, 21;
    "Barcelona", "Catalunya", "España", "ES", "Europe/Madrid", "EUR", "es", 4139, 217, 21;
    "Milano", "Lombardia", "Italia", "IT", "Europe/Rome", "EUR", "it", 4546, 919, 22;
    "Roma", "Lazio", "Italia", "IT", "Europe/Rome", "EUR", "it", 4190, 1250, 22;
    "Amsterdam", "Noord-Holland", "Nederland", "NL", "Europe/Amsterdam", "EUR", "nl", 5237, 490, 21;
    "Bruxelles", "Bruxelles", "Belgique", "BE", "Europe/Brussels", "EUR", "fr", 5085, 435, 21;
    "København", "Hovedstaden", "Danmark", "DK", "Europe/Copenhagen", "DKK", "da", 5568, 1257, 25;
    "Malmö", "Skåne", "Sverige", "SE", "Europe/Stockholm", "SEK", "sv", 5560, 1300, 25;
    "Stockholm", "Stockholm", "Sverige", "SE", "Europe/Stockholm", "SEK", "sv", 5933, 1807, 25;
    "Tromsø", "Troms", "Norge", "NO", "Europe/Oslo", "NOK", "nb", 6965, 1896, 25;
    "Helsinki", "Uusimaa", "Suomi", "FI", "Europe/Helsinki", "EUR", "fi", 6017, 2494, 25;
    "Praha", "Praha", "Česko", "CZ", "Europe/Prague", "CZK", "cs", 5009, 1442, 21;
    "Kraków", "Małopolskie", "Polska", "PL", "Europe/Warsaw", "PLN", "pl", 5006, 1994, 23;
    "Lisboa", "Lisboa", "Portugal", "PT", "Europe/Lisbon", "EUR", "pt", 3872, -914, 23;
    "São Paulo", "São Paulo", "Brasil", "BR", "America/Sao_Paulo", "BRL", "pt", -2355, -4663, 17;
    "Αθήνα", "Αττική", "Ελλάδα", "GR", "Europe/Athens", "EUR", "el", 3798, 2373, 24;
    "Київ", "Київ", "Україна", "UA", "Europe/Kyiv", "UAH", "uk", 5045, 3052, 20;
    "İstanbul", "İstanbul", "Türkiye", "TR", "Europe/Istanbul", "TRY", "tr", 4101, 2898, 20;
    "東京", "東京都", "日本", "JP", "Asia/Tokyo", "JPY", "ja", 3568, 13969, 10;
    "서울", "서울", "대한민국", "KR", "Asia/Seoul", "KRW", "ko", 3757, 12698, 10;
    "New York", "New York", "United States", "US", "America/New_York", "USD", "en", 4071, -7401, 8;
    "Montréal", "Québec", "Canada", "CA", "America/Toronto", "CAD", "fr", 4550, -7357, 15;
};

pub(super) const FIRST_NAMES: &[&str] = &[
    "Anna",
    "Lukas",
    "Marie",
    "Jonas",
    "Sofia",
    "Paul",
    "Léa",
    "Noah",
    "Zoë",
    "Mia",
    "Emil",
    "Clara",
    "Łukasz",
    "Jürgen",
    "Chloé",
    "Björn",
    "Søren",
    "Åsa",
    "Inês",
    "José",
    "Nuria",
    "Giulia",
    "Matteo",
    "Eleni",
    "Γιώργος",
    "Оксана",
    "Андрій",
    "Ayşe",
    "Emre",
    "陽菜",
    "大輔",
    "지우",
    "Grace",
    "Oliver",
    "Freya",
    "Tomáš",
    "Zuzana",
    "Aino",
    "Väinö",
    "João",
    "Renée",
    "Siobhán",
];

pub(super) const LAST_NAMES: &[&str] = &[
    "Müller",
    "Schmidt",
    "Weber",
    "Wagner",
    "Lefèvre",
    "Moreau",
    "Dubois",
    "Smith",
    "Jones",
    "Taylor",
    "Rossi",
    "Bianchi",
    "García",
    "Fernández",
    "Núñez",
    "Kowalski",
    "Wiśniewska",
    "Nowák",
    "Dvořák",
    "Jensen",
    "Østergaard",
    "Lindström",
    "Åberg",
    "Virtanen",
    "Hämäläinen",
    "de Vries",
    "van Dijk",
    "Papadopoulos",
    "Παππάς",
    "Шевченко",
    "Коваленко",
    "Yılmaz",
    "Öztürk",
    "佐藤",
    "鈴木",
    "김",
    "이",
    "Silva",
    "Conceição",
    "O'Brien",
    "Ní Dhomhnaill",
    "Tremblay",
    "Gagné",
    "Groß",
    "Strauß",
];

pub(super) const STREETS: &[&str] = &[
    "Hauptstraße",
    "Bahnhofstraße",
    "Gartenweg",
    "Rue de la Paix",
    "Rue de l'Église",
    "High Street",
    "Mill Lane",
    "Calle Mayor",
    "Plaza Nueva",
    "Via Roma",
    "Corso Italia",
    "Dorpsstraat",
    "Nørregade",
    "Storgatan",
    "ulica Polna",
    "ulica Długa",
    "Náměstí Míru",
    "Rua Augusta",
    "Οδός Ερμού",
    "вулиця Лесі Українки",
    "İstiklal Caddesi",
    "Maple Avenue",
    "5th Avenue",
    "Chemin du Lac",
];

pub(super) const BRANDS: &[&str] = &[
    "Nordlys",
    "Alba",
    "Ferro & Figli",
    "Hygge Hus",
    "Kiwi",
    "Polarstern",
    "Maison Lune",
    "Tilia",
    "Oak & Ember",
    "Sakura",
    "Blåbär",
    "Čáp",
    "Vento",
    "Zephyr",
    "Grünwerk",
    "Petit Nuage",
    "Atlas",
    "Lumen",
    "Rosso",
    "Wildwasser",
    "Øresund",
    "Bergmann",
    "Casa Sol",
    "Mareé",
    "Quokka",
];

/// The categories of items, with the plural that names their columns.
pub(super) const CATEGORIES: &[&str] = &[
    "electronics",
    "furniture",
    "kitchen",
    "garden",
    "toys",
    "books",
    "music",
    "sports",
    "outdoor",
    "shoes",
    "womenswear",
    "menswear",
    "kidswear",
    "beauty",
    "health",
    "grocery",
    "wine",
    "pets",
    "office",
    "tools",
    "automotive",
    "baby",
    "jewellery",
    "travel",
];

pub(super) const ADJECTIVES: &[&str] = &[
    "compact",
    "classic",
    "organic",
    "foldable",
    "wireless",
    "vintage",
    "waterproof",
    "quiet",
    "light",
    "oversized",
    "handmade",
    "recycled",
    "smart",
    "soft",
    "sturdy",
    "bright",
];

pub(super) const COLOURS: &[&str] = &[
    "black",
    "white",
    "navy",
    "anthracite",
    "crème",
    "beige",
    "rosé",
    "forest green",
    "ochre",
    "red",
    "sky blue",
    "lilac",
    "copper",
    "mint",
    "bordeaux",
];

pub(super) const MATERIALS: &[&str] = &[
    "cotton",
    "steel",
    "oak",
    "glass",
    "wool",
    "linen",
    "leather",
    "polyester",
    "ceramic",
    "bamboo",
    "aluminium",
    "cork",
    "silk",
];

pub(super) const MARKETING_CHANNELS: &[&str] = &[
    "search",
    "display",
    "social",
    "video",
    "affiliate",
    "email",
    "push",
    "sms",
    "print",
    "influencer",
];

pub(super) const COMMENTS: &[&str] = &[
    "please ring twice",
    "leave with the neighbour",
    "gift, no invoice in the parcel",
    "bitte beim Nachbarn abgeben",
    "entrée par la cour",
    "call before delivery",
    "third floor, no lift",
    "urgent",
    "dog in the garden 🐕",
    "danke!",
    "à livrer après 18 h",
    "ask for Zoë at the desk",
    "no plastic, please ♻",
    "per favore suonare due volte",
];

pub(super) const SEARCH_TERMS: &[&str] = &[
    "sofa",
    "garden chair",
    "laufschuhe",
    "cadeau anniversaire",
    "kopfhörer",
    "lego",
    "wok",
    "regal",
    "winter coat",
    "kaffeemaschine",
    "lampe",
    "tent 2 persons",
    "rosé",
    "cat food",
    "desk",
    "rucksack",
    "lippenstift",
    "bohrmaschine",
    "crème hydratante",
    "kids bike",
    "スニーカー",
    "чай",
];

pub(super) const COMPANIES: &[&str] = &[
    "Blumen Krüger GmbH",
    "Café Émile SARL",
    "Hansen & Søn ApS",
    "Kowalczyk Sp. z o.o.",
    "Nord Bau AG",
    "Brightside Ltd",
    "Officina Verde S.r.l.",
    "Taller Núñez S.L.",
    "Praxis am Markt",
    "Studio Öberg AB",
    "Hotel Bellevue",
    "Kita Sonnenschein e.V.",
    "Acme Supplies Inc.",
    "ООО Каштан",
    "株式会社さくら",
];
