//! The words that the demo authority is made of. Everybody and every street, school and surgery in here is invented.

/// A community of the borough: what its families are called, speak and believe.
pub(super) struct Background {
    /// How many families in a hundred or so.
    pub(super) weight: usize,
    pub(super) girls: &'static [&'static str],
    pub(super) boys: &'static [&'static str],
    /// First names of the generation before, where they differ much: women's, then men's.
    pub(super) elders: Option<(&'static [&'static str], &'static [&'static str])>,
    pub(super) surnames: &'static [&'static str],
    pub(super) ethnicities: &'static [&'static str],
    pub(super) languages: &'static [&'static str],
    pub(super) religions: &'static [&'static str],
}

pub(super) const BACKGROUNDS: &[Background] = &[
    Background {
        weight: 24,
        girls: &[
            "Amelia", "Daisy", "Ellie", "Freya", "Grace", "Hollie", "Isla", "Kayleigh", "Lily-Mae", "Poppy", "Rosie",
            "Tilly",
        ],
        boys: &[
            "Alfie", "Archie", "Billy", "Callum", "Frankie", "George", "Harvey", "Jack", "Kieran", "Lewis", "Oscar",
            "Tommy",
        ],
        elders: Some((
            &["Carol", "Claire", "Donna", "Emma", "Gemma", "Kelly", "Leanne", "Lisa", "Sharon", "Stacey", "Tracey"],
            &["Barry", "Craig", "Darren", "Dean", "Gary", "Lee", "Mark", "Paul", "Scott", "Steve", "Wayne"],
        )),
        surnames: &[
            "Baker", "Barrett", "Cooper", "Dawson", "Fielding", "Harper", "Hughes", "Marsh", "Parsons", "Reeve",
            "Saunders", "Tucker", "Webb", "Whitlock",
        ],
        ethnicities: &["WBRI"],
        languages: &["English"],
        religions: &["None", "None", "Christian"],
    },
    Background {
        weight: 12,
        girls: &["Aaliyah", "Chanelle", "Jada", "Keisha", "Monique", "Renée", "Shanice", "Tiana", "Zariah", "Zoë"],
        boys: &["Aaron", "Andre", "Dequan", "Jermaine", "Kymani", "Malachi", "Micah", "Rashaan", "Tyrell", "Xavier"],
        elders: Some((
            &["Beverley", "Charmaine", "Claudette", "Lorna", "Marcia", "Natalie", "Sonia", "Yvonne"],
            &["Carlton", "Clive", "Delroy", "Errol", "Leroy", "Marlon", "Trevor", "Winston"],
        )),
        surnames: &[
            "Alleyne",
            "Beckford",
            "Campbell",
            "Charlery",
            "D'Aguilar",
            "Edwards",
            "Francis",
            "Grant",
            "Joseph",
            "McKenzie",
            "Pinnock",
            "St. Louis",
        ],
        ethnicities: &["BCRB"],
        languages: &["English"],
        religions: &["Christian", "Christian", "Rastafari", "None"],
    },
    Background {
        weight: 11,
        girls: &[
            "Àbẹ̀kẹ́",
            "Adaeze",
            "Chiamaka",
            "Damilola",
            "Folasade",
            "Ifeoma",
            "Oluwaseun",
            "Ọmọlará",
            "Temitope",
            "Yetunde",
        ],
        boys: &[
            "Ayòdélé",
            "Babatunde",
            "Chidi",
            "Emeka",
            "Kehinde",
            "Obinna",
            "Olumide",
            "Oluwatobi",
            "Segun",
            "Taiwo",
        ],
        elders: None,
        surnames: &[
            "Adébáyò",
            "Adeyemi",
            "Akintola",
            "Balogun",
            "Eze",
            "Nwachukwu",
            "Obi",
            "Ogunleye",
            "Okafor",
            "Okonkwo",
            "Olatunji",
        ],
        ethnicities: &["BAFR"],
        languages: &["English", "English", "Yoruba", "Igbo"],
        religions: &["Christian", "Christian", "Muslim"],
    },
    Background {
        weight: 5,
        girls: &["Abena", "Adwoa", "Akosua", "Ama", "Efua", "Esi", "Yaa"],
        boys: &["Kofi", "Kojo", "Kwabena", "Kwaku", "Kwame", "Nana", "Yaw"],
        elders: None,
        surnames: &["Agyeman", "Amoah", "Asante", "Boateng", "Mensah", "Ofori", "Osei", "Owusu"],
        ethnicities: &["BAFR"],
        languages: &["English", "Twi"],
        religions: &["Christian"],
    },
    Background {
        weight: 11,
        girls: &["Aylin", "Ceren", "Defne", "Elif", "Gülşen", "İpek", "Nazlı", "Özge", "Şevval", "Zeynep"],
        boys: &["Ahmet", "Barış", "Can", "Deniz", "Emre", "Kağan", "Mert", "Ömer", "Serkan", "Yiğit"],
        elders: None,
        surnames: &[
            "Aksoy", "Aydın", "Çelik", "Demir", "Doğan", "Kılıç", "Korkmaz", "Öztürk", "Şahin", "Yıldız", "Yılmaz",
        ],
        ethnicities: &["WOTH", "OOTH"],
        languages: &["Turkish", "Turkish", "Kurdish"],
        religions: &["Muslim", "Alevi", "None"],
    },
    Background {
        weight: 8,
        girls: &["Ayesha", "Farhana", "Jannat", "Maryam", "Nusrat", "Rukhsana", "Sadia", "Sumaiya", "Tahmina"],
        boys: &["Abdul", "Faisal", "Ibrahim", "Imran", "Mohammed", "Rafi", "Shahid", "Tanvir", "Yusuf"],
        elders: None,
        surnames: &["Ahmed", "Ali", "Begum", "Chowdhury", "Hussain", "Islam", "Khatun", "Miah", "Rahman", "Uddin"],
        ethnicities: &["ABAN"],
        languages: &["Bengali", "Sylheti", "English"],
        religions: &["Muslim"],
    },
    Background {
        weight: 8,
        girls: &["Bracha", "Chaya", "Devorah", "Esther", "Faigy", "Gitty", "Malka", "Perel", "Rivka", "Yehudis"],
        boys: &["Avrohom", "Chaim", "Dovid", "Eliezer", "Mendel", "Moishe", "Shloime", "Shmuel", "Yankel", "Yitzchok"],
        elders: None,
        surnames: &[
            "Birnbaum",
            "Feldman",
            "Friedlander",
            "Grunfeld",
            "Katz",
            "Lieberman",
            "Perlstein",
            "Rosenthal",
            "Weiss",
        ],
        ethnicities: &["WOTH", "WBRI"],
        languages: &["Yiddish", "Yiddish", "English"],
        religions: &["Jewish (Orthodox)"],
    },
    Background {
        weight: 5,
        girls: &["Hồng", "Lan", "Linh", "Mai", "Ngọc", "Phương", "Thảo", "Vy"],
        boys: &["Bình", "Đức", "Hiếu", "Khoa", "Long", "Minh", "Quân", "Tuấn"],
        elders: None,
        surnames: &["Bùi", "Đặng", "Hoàng", "Lê", "Nguyễn", "Phạm", "Trần", "Võ"],
        ethnicities: &["AOTH"],
        languages: &["Vietnamese"],
        religions: &["Buddhist", "Catholic", "None"],
    },
    Background {
        weight: 6,
        girls: &["Agnieszka", "Hanna", "Julia", "Kinga", "Łucja", "Małgorzata", "Oliwia", "Zofia", "Zuzanna"],
        boys: &["Antoni", "Filip", "Jakub", "Kacper", "Łukasz", "Maciej", "Mikołaj", "Stanisław", "Wojciech"],
        elders: None,
        surnames: &["Duda", "Kowalczyk", "Król", "Mazur", "Nowak", "Pawlak", "Szymczak", "Wójcik", "Woźniak", "Zając"],
        ethnicities: &["WOTH"],
        languages: &["Polish"],
        religions: &["Catholic", "None"],
    },
    Background {
        weight: 4,
        girls: &["Aoife", "Caitlín", "Ciara", "Máire", "Niamh", "Róisín", "Sinéad"],
        boys: &["Cian", "Conor", "Declan", "Eoin", "Pádraig", "Ruairí", "Seán"],
        elders: None,
        surnames: &["Byrne", "Doherty", "Gallagher", "McDonagh", "Ní Bhriain", "O'Connor", "O'Shea", "O'Sullivan"],
        ethnicities: &["WIRI", "WIRI", "WIRT"],
        languages: &["English"],
        religions: &["Catholic", "None"],
    },
    Background {
        weight: 4,
        girls: &["Amina", "Fadumo", "Hodan", "Ifrah", "Khadija", "Nasra", "Sagal"],
        boys: &["Abdi", "Abdirahman", "Bilal", "Hamza", "Liban", "Mahad", "Zakariya"],
        elders: None,
        surnames: &["Abdi", "Farah", "Hassan", "Jama", "Mohamud", "Osman", "Warsame"],
        ethnicities: &["BAFR"],
        languages: &["Somali"],
        religions: &["Muslim"],
    },
    Background {
        weight: 3,
        girls: &["Anjali", "Diya", "Hetal", "Kavita", "Priya", "Riya"],
        boys: &["Aarav", "Dev", "Jayesh", "Nikhil", "Rohan", "Vivek"],
        elders: None,
        surnames: &["Desai", "Mistry", "Patel", "Shah", "Solanki"],
        ethnicities: &["AIND"],
        languages: &["Gujarati", "English"],
        religions: &["Hindu"],
    },
    Background {
        weight: 3,
        girls: &["Aisha", "Hira", "Iqra", "Mahnoor", "Sana", "Zainab"],
        boys: &["Adeel", "Bilal", "Hassan", "Haroon", "Usman", "Zain"],
        elders: None,
        surnames: &["Akhtar", "Aslam", "Butt", "Iqbal", "Malik", "Qureshi"],
        ethnicities: &["APKN"],
        languages: &["Urdu", "Punjabi", "English"],
        religions: &["Muslim"],
    },
    Background {
        weight: 4,
        girls: &["Beatriz", "Carolina", "Inês", "Joana", "Letícia", "Márcia"],
        boys: &["André", "Diogo", "Gonçalo", "João", "Rafael", "Tomás"],
        elders: None,
        surnames: &["Assunção", "da Silva", "Ferreira", "Gonçalves", "Magalhães", "Moreira"],
        ethnicities: &["WOTH", "OOTH"],
        languages: &["Portuguese"],
        religions: &["Catholic", "Christian", "None"],
    },
    Background {
        weight: 3,
        girls: &["Béatrice", "Divine", "Exaucée", "Grâce", "Merveille", "Naomie"],
        boys: &["Dieudonné", "Élie", "Gloire", "Jonathan", "Plamedi", "Trésor"],
        elders: None,
        surnames: &["Ilunga", "Kabongo", "Lukaku", "Mbala", "Mukendi", "Tshibangu"],
        ethnicities: &["BAFR", "REFU"],
        languages: &["Lingala", "French"],
        religions: &["Christian"],
    },
    Background {
        weight: 2,
        girls: &["Jiayi", "Mei", "Xinyi", "Yan"],
        boys: &["Haoran", "Jun", "Wei", "Zihan"],
        elders: None,
        surnames: &["Chan", "Lin", "Wong", "Zhang"],
        ethnicities: &["CHNE"],
        languages: &["Cantonese", "Mandarin"],
        religions: &["None", "Buddhist"],
    },
];

/// What some children like to be called.
pub(super) const PREFERRED: &[(&str, &str)] = &[
    ("Abdirahman", "Abdi"),
    ("Alfie", "Alf"),
    ("Folasade", "Sade"),
    ("Jermaine", "Jay"),
    ("Kayleigh", "Kay"),
    ("Małgorzata", "Gosia"),
    ("Mohammed", "Mo"),
    ("Oluwaseun", "Seun"),
    ("Oluwatobi", "Tobi"),
    ("Yehudis", "Hudi"),
];

pub(super) const STREETS: &[&str] = &[
    "Alderwick Road",
    "Bellfounder Street",
    "Brindle Lane",
    "Candlewright Row",
    "Cressbrook Gardens",
    "Drover's Reach",
    "Eelpie Walk",
    "Fernhollow Road",
    "Gasholder Street",
    "Hartsease Avenue",
    "Kingfisher Parade",
    "Lantern Row",
    "Larkmead Road",
    "Mulberry Wharf",
    "Ninefields Road",
    "Osier Street",
    "Plumtree Terrace",
    "Quarterdeck Close",
    "Ropewalk Gardens",
    "Saltbox Street",
    "Tanner's Reach",
    "Tollgate Mews",
    "Upper Weir Road",
    "Watercress Lane",
    "Wickstead Road",
];

pub(super) const BUILDINGS: &[&str] = &["Heron House", "Linden Court", "Osprey Point", "Rowan House", "Teasel Court"];

pub(super) const DISTRICTS: &[&str] = &["E5", "E8", "E9", "N1", "N16"];

/// Royal Mail never ends a postcode with these letters, so no real address can be hit.
pub(super) const POSTCODE_LETTERS: &[char] = &['C', 'I', 'K', 'M', 'O', 'V'];

pub(super) const PRIMARY_SCHOOLS: &[&str] = &[
    "Hollow Lane Primary School",
    "Kingfisher Primary School",
    "Orchard Fold Primary School",
    "St Brannoc's Primary School",
    "Upper Weir Primary School",
    "Weavers Gate Primary School",
];

pub(super) const SECONDARY_SCHOOLS: &[&str] =
    &["Gasholder Park School", "Lanternfield Academy", "Ninefields School", "Tollgate Academy"];

pub(super) const VENUES: &[&str] = &[
    "Conference room 1, Hackney Service Centre",
    "Conference room 2, Hackney Service Centre",
    "Meeting room, Larkmead Family Hub",
];

pub(super) const POLICE: &str = "Police Child Abuse Investigation Team";
pub(super) const HEALTH_VISITING: &str = "Health visiting service";
pub(super) const SCHOOL_NURSING: &str = "School nursing service";
pub(super) const MIDWIFERY: &str = "Community midwifery team";
pub(super) const SURGERY: &str = "Lantern Row Surgery";

/// The name of a unit without its number, by service.
pub(super) fn service_name(service: &str) -> &'static str {
    match service {
        "ACCESS_ASSESSMENT" => "Access and Assessment",
        "CHILDREN_IN_NEED" => "Children in Need",
        "LOOKED_AFTER" => "Looked After Children",
        "FAMILY_SUPPORT" => "Family Support",
        _ => "Disabled Children",
    }
}

/// Why the service was asked to help, by primary need, with the ages in whole years that the words fit; an unborn
/// child is -1. `{child}`, `{parent}` and `{school}` are filled in.
pub(super) fn referrals(need: &str) -> &'static [(i32, i32, &'static str)] {
    match need {
        "N1" => &[
            (-1, -1, "The midwife asks for an assessment before the birth; {parent} has nowhere settled to live."),
            (-1, -1, "{parent} booked late in the pregnancy and asks for help to get ready for the baby."),
            (0, 4, "The health visitor could not see {child} on three arranged visits and asks for an assessment."),
            (0, 4, "The nursery reports that {child} is often collected late, by different people."),
            (0, 17, "A neighbour reported repeated shouting at the home. {child} was present."),
            (
                0,
                17,
                "Police attended the home after an argument between the adults. {child} was asleep and was not hurt.",
            ),
            (0, 10, "{child} was found alone in the playground twice after school hours."),
            (0, 17, "A relative is worried about how often {child} is left with people who hardly know the family."),
            (0, 17, "The housing officer found the flat without heating and with little food in the kitchen."),
            (
                5,
                17,
                "{school} is worried that {child} often arrives tired and hungry and has missed several days this term.",
            ),
            (5, 17, "{child} told a teacher at {school} about being afraid to go home on Fridays."),
            (5, 17, "{school} asks for an assessment: {child} wears the same clothes all week and is withdrawn."),
            (5, 17, "{child} has not been at {school} since half term and nobody has answered the door."),
            (9, 17, "{child} rang a helpline and agreed that we are told about the arguments at home."),
        ],
        "N2" => &[
            (
                0,
                20,
                "{parent} asks for help at home and for short breaks; {child}'s needs have grown over the past year.",
            ),
            (0, 20, "The paediatrician asks for an assessment of what {child} and the family need at home."),
            (5, 20, "{school} and {parent} ask together for support in the school holidays."),
        ],
        "N3" => &[
            (0, 20, "{parent} has been unwell since the spring and the GP asks what support the family can have."),
            (0, 20, "{parent} has been in hospital, and {child} has been staying with relatives meanwhile."),
            (7, 20, "{school} believes that {child} cares for {parent} before and after school."),
        ],
        "N4" => &[
            (0, 20, "The family has to leave its home at short notice and {parent} has asked for help."),
            (0, 20, "{parent} is caring alone after a bereavement and finds the evenings very hard."),
            (0, 20, "The advice centre asks for help for the family, which has had no income for five weeks."),
            (0, 20, "{parent} works nights and the person who used to look after {child} has moved away."),
        ],
        "N5" => &[
            (
                5,
                20,
                "{school} reports that {child} speaks of frequent arguments at home and of not wanting to go back there.",
            ),
            (
                10,
                20,
                "{parent} and {child} are in conflict over rules at home and {child} has stayed away for two nights.",
            ),
            (0, 20, "The adults have parted and cannot agree who cares for {child}; both have asked us for advice."),
            (0, 20, "{parent} asks for help: the children and a new partner do not get on."),
        ],
        "N6" => &[
            (10, 20, "{child} was stopped by police with older young people; {school} has seen a change in {child}."),
            (10, 20, "{child} has been out late with people whom {parent} does not know and has missed lessons."),
        ],
        _ => &[
            (
                0,
                20,
                "{child} is being looked after by a relative and it is not clear when {parent} will be able to return.",
            ),
            (0, 20, "{parent} cannot be reached and a family friend has been caring for {child} for two weeks."),
        ],
    }
}

pub(super) const HANDOVERS: &[&str] = &[
    "The assessment is complete. {child} and {parent} know both units; the joint visit went well. The plan's first review \
     is the next date.",
    "{parent} has worked openly with us and would like visits after four o'clock. {school} is a steady support for \
     {child}. Two actions of the plan are still open.",
    "The family needs longer help than an assessment can give. {child} has asked to keep the same practitioner for the \
     first visits, and we have offered this.",
    "Health and school were seen together last week and agree with the plan. {parent} asks that letters are explained \
     by telephone.",
    "The concerns of the referral are understood and the family has begun to make changes. The next step is the work \
     with {parent} on routines; {child} has been seen twice alone.",
    "{parent} was worried about a change of unit, and met the new practitioner last week. {child} would like the visits to \
     be at home.",
];

pub(super) const AIMS: &[&str] = &[
    "{child} is safe at home and the adults around {child} keep it so without our help.",
    "{child}'s days are calm and predictable, and {parent} has people to turn to.",
    "{child} grows, learns and plays as well as any child, with the family leading the way.",
    "{parent} can meet {child}'s needs on good days and on hard days.",
    "{child} lives with people who know {child} well and have the help that they need.",
    "What worried everybody has changed, and the change has lasted for half a year.",
    "{child} can be a child: somebody else does the worrying.",
];

pub(super) const PARENT_VIEWS: &[&str] = &[
    "{parent} agrees with the plan and would like help with the mornings first.",
    "{parent} does not agree with everything, and wants what has gone well to be written down too.",
    "{parent} finds the visits helpful and asks that appointments are not on the same day as work.",
    "{parent} says that things have changed since the summer and hopes the plan can be short.",
    "{parent} would rather not have a plan, and will work with this one.",
    "{parent} is glad that somebody listened and wants the school to hear it too.",
    "{parent} thinks that the goals are right and the dates too early.",
    "{parent} asks for an interpreter whom the family does not know.",
];

pub(super) const CHILD_VIEWS: &[&str] = &[
    "{child} likes it when everybody eats together and wants that to happen more often.",
    "{child} wants to be told what is going to happen before it happens.",
    "{child} enjoys school, misses the old neighbours and wants to see the cousins at weekends.",
    "{child} drew the family and put the dog in the middle; {child} feels best when there is no shouting.",
    "{child} is proud of the new bedroom and wants to paint it.",
    "{child} would like fewer meetings and more football.",
    "{child} says that some days are fine and that Sundays are long.",
    "{child} wants to choose who comes to the meetings.",
    "{child} would like to tell the plan's story with pictures next time.",
    "{child} worries about the little ones and wants somebody else to.",
];

pub(super) const OUTLINES: &[&str] = &[
    "Core group within ten working days. Home visits every week, some of them unannounced. School and health report \
     each month.",
    "The lead practitioner sees {child} alone every two weeks. {parent} takes up the offered support. The core group \
     checks progress.",
    "A family meeting to agree who helps at weekends. Health checks brought up to date. The plan is reviewed by the \
     core group.",
];

pub(super) const MOVE_REASONS: &[&str] = &[
    "A parent cannot come on the first date and should be there.",
    "The interpreter is not available on the first date.",
    "The school's report needs two more days.",
];

/// Why a case ended, in a sentence, by closure reason.
pub(super) fn closing(reason: &str) -> &'static str {
    match reason {
        "RC3" => "The court made a child arrangements order and the family does not need a social worker any more.",
        "RC4" => "A special guardianship order was made; support goes on through the guardianship support plan.",
        "RC5" => "The family moved to another authority, which has accepted the case.",
        "RC6" => "Adult services have taken over the support.",
        "RC8" => "The assessment found that {child} is safe and that no further help from us is needed.",
        "RC9" => "The assessment found that early help fits better, and the family agreed to it.",
        _ => "The changes have lasted for several months. {child} is safe at home without a social worker.",
    }
}

/// Why a child whose case was closed can live at home safely.
pub(super) fn safe_at_home() -> &'static str {
    "{child} says that home is calm now, school and the health visitor see the same, and the family knows whom to call."
}

/// Who does an action of a plan.
#[derive(Clone, Copy)]
pub(super) enum Owner {
    Lead,
    Practitioner,
    Clinician,
    Parent,
    School,
    Health,
    Agency(&'static str),
}

/// A goal as a plan may have it, with its actions.
pub(super) struct GoalText {
    /// The ages, in whole years, that it fits; an unborn child is -1.
    pub(super) ages: (i32, i32),
    pub(super) change: &'static str,
    pub(super) why: &'static str,
    pub(super) measure: &'static str,
    pub(super) baseline: &'static str,
    pub(super) target: &'static str,
    pub(super) actions: [(Owner, &'static str); 4],
}

pub(super) const GOALS: &[GoalText] = &[
    GoalText {
        ages: (4, 16),
        change: "{child} is at school every day and on time.",
        why: "School is where {child} has friends, hot meals and adults to talk to.",
        measure: "Attendance over a half term",
        baseline: "81 per cent",
        target: "95 per cent",
        actions: [
            (Owner::School, "Meet {child} at the gate and let the unit know the same day when {child} is missing."),
            (
                Owner::Parent,
                "Set bags and clothes out the evening before and ring the school by nine if {child} is ill.",
            ),
            (Owner::Practitioner, "Work out a morning routine with {parent} and {child}."),
            (Owner::Lead, "Ask for a place at the breakfast club."),
        ],
    },
    GoalText {
        ages: (0, 17),
        change: "The home is warm, safe and has room to sleep and to play.",
        why: "The flat is damp and {child} shares a bed.",
        measure: "What is seen on home visits",
        baseline: "Two rooms could not be used",
        target: "Every room in use at three visits in a row",
        actions: [
            (Owner::Lead, "Write to the landlord about the damp and follow it up."),
            (Owner::Parent, "Clear the second bedroom, with the family's help."),
            (Owner::Practitioner, "Apply to the local fund for a bed and bedding."),
            (Owner::Agency("Housing needs team"), "Inspect the home and report to the unit."),
        ],
    },
    GoalText {
        ages: (0, 17),
        change: "Arguments between the adults no longer frighten {child}.",
        why: "{child} listens at the door and sleeps badly afterwards.",
        measure: "Reports from {child}, the family and the police",
        baseline: "Weekly",
        target: "None in three months",
        actions: [
            (Owner::Clinician, "Meet the adults together and apart to talk about how arguments begin."),
            (Owner::Parent, "Keep to the agreed safety plan and ring a friend before things get loud."),
            (Owner::Agency("Domestic abuse support service"), "Offer weekly sessions."),
            (Owner::Practitioner, "See {child} at school to hear how the week has been."),
        ],
    },
    GoalText {
        ages: (0, 12),
        change: "{child} is seen by the health services that {child} needs.",
        why: "Appointments were missed while the family was moving.",
        measure: "Appointments kept",
        baseline: "Two of six",
        target: "All of them",
        actions: [
            (Owner::Health, "Bring the health checks and immunisations up to date."),
            (Owner::Parent, "Register with the surgery and take {child} to the dentist."),
            (Owner::Practitioner, "Go along to the first two appointments."),
            (Owner::Lead, "Ask health to send reminders in the family's first language."),
        ],
    },
    GoalText {
        ages: (0, 17),
        change: "{parent} feels well enough to enjoy the day with {child}.",
        why: "{parent} has been low and tired for months.",
        measure: "What {parent} says, and what the clinician sees",
        baseline: "Most days are hard",
        target: "Most days are good",
        actions: [
            (Owner::Parent, "See the GP and talk about what would help."),
            (Owner::Clinician, "Offer six sessions at home."),
            (Owner::Health, "Review the treatment and tell the unit, with {parent}'s consent."),
            (Owner::Practitioner, "Introduce {parent} to the parents' group at the family hub."),
        ],
    },
    GoalText {
        ages: (10, 17),
        change: "{child} comes home at the agreed time and the family knows where {child} is.",
        why: "{child} has been out late with people whom the family does not know.",
        measure: "Evenings home on time, kept in a shared diary",
        baseline: "Three of seven",
        target: "Six of seven for two months",
        actions: [
            (Owner::Practitioner, "Meet {child} every week, somewhere {child} chooses."),
            (Owner::Parent, "Agree the times with {child} and notice when they are kept."),
            (Owner::Agency("Youth service"), "Offer {child} a place in the boxing and music groups."),
            (Owner::Lead, "Map with {child} which places and people feel safe."),
        ],
    },
    GoalText {
        ages: (0, 4),
        change: "{child} has plenty of talk, play and stories in the day.",
        why: "{child} says few words yet and spends much of the day in a buggy.",
        measure: "Speech and language check",
        baseline: "Below what is expected for the age",
        target: "Within what is expected for the age",
        actions: [
            (Owner::Health, "Carry out the two-year check and refer to speech and language therapy."),
            (Owner::Parent, "Go to the stay-and-play group on Tuesdays and Thursdays."),
            (Owner::Practitioner, "Play alongside {parent} and {child} at home, using what is there."),
            (Owner::Lead, "Apply for the funded nursery place."),
        ],
    },
    GoalText {
        ages: (-1, -1),
        change: "Everything is ready for the baby, and {parent} is well supported.",
        why: "{parent} booked late and has nobody nearby.",
        measure: "Antenatal appointments kept",
        baseline: "One so far",
        target: "All that are offered",
        actions: [
            (Owner::Health, "See {parent} every two weeks until the birth."),
            (Owner::Parent, "Prepare what the baby needs, with the list from the midwife."),
            (Owner::Lead, "Agree a plan for the birth with the hospital."),
            (Owner::Clinician, "Meet {parent} to talk about hopes and worries."),
        ],
    },
    GoalText {
        ages: (-1, 17),
        change: "The family and its friends share the care in a way that lasts.",
        why: "{parent} has been doing everything alone.",
        measure: "The family's own weekly plan",
        baseline: "No plan",
        target: "A plan that has been kept for three months",
        actions: [
            (Owner::Lead, "Arrange a family meeting."),
            (Owner::Parent, "Say who should come, and who can help at weekends."),
            (Owner::Practitioner, "Write the family's plan down in words and pictures."),
            (Owner::Clinician, "Draw the family tree with the family and look for strengths."),
        ],
    },
    GoalText {
        ages: (-1, 17),
        change: "There is enough money for food, heating and travel.",
        why: "Benefits were stopped after the move and debts have grown.",
        measure: "Bills paid and cupboards filled",
        baseline: "Food bank every week",
        target: "No food bank for two months",
        actions: [
            (Owner::Agency("Advice centre"), "Check which benefits are due and help to claim them."),
            (Owner::Parent, "Bring the letters to the advice centre."),
            (Owner::Practitioner, "Help with the forms and go along if wanted."),
            (Owner::Lead, "Ask for a payment for children in need until the claim is paid."),
        ],
    },
    GoalText {
        ages: (0, 17),
        change: "{child} is cared for by somebody who is sober.",
        why: "{child} has looked after the adults at times.",
        measure: "Reports of the recovery service and of {child}",
        baseline: "Most weekends are affected",
        target: "No affected weekend in three months",
        actions: [
            (Owner::Agency("Recovery service"), "Offer weekly appointments and report to the core group."),
            (Owner::Parent, "Keep the appointments and use the agreed plan when it gets difficult."),
            (Owner::Lead, "Visit at weekends as well, some visits unannounced."),
            (Owner::Practitioner, "Tell {child} whom to ring, day or night."),
        ],
    },
    GoalText {
        ages: (3, 17),
        change: "{child} has somebody to talk to about what has happened.",
        why: "{child} is quiet at home and worries about the family.",
        measure: "What {child} says on a scale of one to ten",
        baseline: "Three",
        target: "Seven",
        actions: [
            (Owner::Clinician, "Offer {child} six meetings with drawing and play."),
            (Owner::School, "Name one adult whom {child} can go to at any time."),
            (Owner::Parent, "Make twenty minutes each day that are only for {child}."),
            (Owner::Practitioner, "Bring {child}'s words to the next meeting."),
        ],
    },
];

/// Goals for disabled children, whose plans are mostly about help at home.
pub(super) const GOALS_DISABLED: &[GoalText] = &[
    GoalText {
        ages: (0, 18),
        change: "{child} and the family have regular short breaks.",
        why: "{parent} has cared day and night for a long time.",
        measure: "Hours of short breaks used each month",
        baseline: "None",
        target: "Sixteen",
        actions: [
            (Owner::Lead, "Take the request for short breaks to the panel."),
            (Owner::Practitioner, "Visit two short-break settings with {child} and {parent}."),
            (Owner::Parent, "Write down what a new carer must know about {child}."),
            (Owner::Agency("Short breaks service"), "Offer a trial afternoon and report how it went."),
        ],
    },
    GoalText {
        ages: (0, 18),
        change: "The home fits {child}'s needs.",
        why: "{child} cannot use the bathroom without being lifted.",
        measure: "Occupational therapist's assessment",
        baseline: "Adaptations not begun",
        target: "Adaptations in use",
        actions: [
            (Owner::Health, "Carry out the occupational therapy assessment."),
            (Owner::Agency("Home adaptations team"), "Visit, measure and give a date for the work."),
            (Owner::Lead, "Support the application for the grant."),
            (Owner::Parent, "Keep a list of what is hardest in the day."),
        ],
    },
    GoalText {
        ages: (3, 18),
        change: "{child} can tell people what {child} wants.",
        why: "Without pictures or signs {child} becomes upset.",
        measure: "Choices that {child} makes in a day",
        baseline: "One or two",
        target: "Ten",
        actions: [
            (Owner::School, "Share the picture cards that are used in class."),
            (Owner::Parent, "Use the cards at meals and at bedtime."),
            (Owner::Health, "Review {child}'s communication aids."),
            (Owner::Practitioner, "Learn the signs that {child} uses and share them with the unit."),
        ],
    },
];

pub(super) const OUTCOMES: &[&str] = &[
    "Done, and the family found it helpful.",
    "Done as agreed.",
    "Done a little later than planned.",
    "Done; to be repeated in the next period.",
];
