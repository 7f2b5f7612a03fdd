-- Children are found by name: by the beginning of a name, by how it sounds, by its short forms (domain 2.1). And the
-- indexes of what can now be read from its other end.

create extension if not exists unaccent with schema public;
create extension if not exists fuzzystrmatch with schema public;

-- Former surnames, aliases, other spellings.
alter table persons add column other_names text[] not null default '{}';

-- Names that stand for each other. A name may belong to several groups: Alex is Alexander and Alexandra, who are not
-- each other.
create table name_groups (
    name text collate "C" not null check (name ~ '^[a-z]+$'),
    -- The group is called by its first name.
    leader text collate "C" not null,
    primary key (name, leader)
);
create index on name_groups (leader);

insert into name_groups (name, leader)
    select distinct name, split_part(names, ' ', 1)
    from unnest(array[
        'abdullah abdallah abdulla abdullahi abdulahi abdul', 'abigail abi abbie abby gail', 'abraham abe ibrahim ebrahim bram',
        'adam addy adem adham', 'adebayo ade bayo', 'agnes aggie nessie', 'ahmed ahmad ahmet akhmed', 'alan al allan allen alun',
        'albert al bert bertie albie', 'alexander alex al alec alistair alasdair sandy sasha xander lex aleksander alejandro aleksandr iskander',
        'alexandra alex sandra sasha lexi lexie alexa sandy aleksandra', 'alfred alf alfie fred freddie', 'ali aly alli',
        'alice ali allie alys alicja', 'alison ali allie allison', 'amanda mandy manda', 'amelia millie amy emilia melia',
        'amy aimee ami aimie', 'andrew andy drew andre andreas andrzej andrei', 'angela angie ange angelina',
        'ann anne anna annie nan nancy ana hannah', 'anthony tony ant antonio anton antoni', 'antonia toni tonia',
        'archibald archie baldie', 'arthur art artie arturo', 'augustus gus august augustine', 'ayesha aisha aysha aicha aishah ayisha',
        'barbara barb babs barbie bobbie', 'barnaby barney', 'bartholomew bart barty', 'benjamin ben benny benji binyamin',
        'bernadette bernie detta', 'bernard bernie barney', 'beverley bev beverly', 'bradley brad', 'bridget bridie biddy brigid',
        'caroline carrie caz carolyn carol lina', 'catherine cath cathy katherine kathryn katharine kate katie kathy katy kitty kat kath cat catriona caitlin kathleen ekaterina katarzyna kasia',
        'cecilia cissy celia cecily', 'charles charlie chas chuck carl karl carlos karol', 'charlotte charlie lottie lotte charley',
        'caleb kaleb', 'cara kara', 'cheryl sheryl cherie', 'chloe khloe cloe', 'ciara kiera keira kira', 'cody kody',
        'corey cory kory', 'christian chris kit christiaan krystian', 'christina chris chrissy tina christine kirsty krissy kristina christa krystyna',
        'christopher chris kit topher kris christoph krzysztof', 'claire clare clara clair', 'constance connie', 'cornelius con corny neil',
        'cynthia cindy', 'daniel dan danny daniyal danilo', 'danielle dani danni', 'david dave davey davy dai dawud daud dafydd dawid',
        'deborah deb debbie debby debra', 'dennis den denny denis', 'derek del rick derrick', 'desmond des', 'diana di diane dianne',
        'dominic dom nick dominik', 'donald don donny', 'dorothy dot dottie dolly dora', 'douglas doug dougie', 'duncan dunc',
        'edith edie', 'edmund ed eddie ned ted', 'edward ed eddie ned ted teddy eduardo edek', 'eleanor ellie nell nellie ella elinor nora lenny elena helena',
        'elizabeth liz lizzie beth betty betsy bess bessie eliza libby lisa elsie elspeth lilibet elisabeth elzbieta isabel isabella isobel',
        'ellen nell nellie ellie helen', 'emily em emmy millie emilie', 'emma em emmy ema', 'emmanuel manny emanuel manuel',
        'eric rick erik', 'ernest ernie', 'esther essie hester', 'eugene gene', 'evelyn eve evie evelina', 'ezekiel zeke',
        'fatima fatimah fatma fatoumata fatemeh', 'florence flo florrie flossie', 'frances fran franny francesca frankie fanny', 'francis frank fran frankie francisco francois',
        'frederick fred freddie freddy fredrick fryderyk', 'gabriel gabe jibril', 'gabrielle gabby gaby gabriella', 'gareth gary gaz garth', 'geoffrey geoff jeff jeffrey',
        'george georgie jorge georgi jerzy', 'georgina georgie george gina georgia', 'gerald gerry jerry gerard ged', 'gillian gill jill jilly',
        'grace gracie', 'graham graeme grahame', 'gregory greg gregor grzegorz', 'gwendoline gwen gwendolyn', 'hamza hamzah hamze',
        'hannah hanna ann annie hana', 'harold harry hal', 'harriet hattie harry', 'hassan hasan hassaan', 'helen nell nellie helena elena ellen',
        'henrietta hetty etta hattie', 'henry harry hal hank henri enrique henryk', 'herbert bert bertie herb', 'hugh hughie huw hugo',
        'humphrey humph', 'hussein hussain husain hossein hussayn', 'ian iain', 'isaac ike zac ishaq izaak', 'isabella izzy bella isabel isobel isabelle issy izabela',
        'jacob jake jakob yakub yaqub jacoby jakub', 'jacqueline jackie jacqui jaqueline', 'james jim jimmy jamie jem seamus hamish jaime',
        'jane janey janie janet jenny jean jeanie', 'janice jan', 'jasmine jas jaz yasmin yasmine jazmin', 'jennifer jen jenny jenni jenna',
        'jeremy jem jerry jeremiah', 'jessica jess jessie', 'joan joanie joanne', 'joanne jo joanna joann johanna', 'john jack johnny jon jonny ian ivan sean shaun johan hans juan jan janek evan owen yahya',
        'jonathan jon jonny jonathon johnathan', 'joseph joe joey jo yusuf yousef josef jose youssef yosef pepe jozef', 'josephine jo josie joey fifi',
        'joshua josh', 'judith judy jude', 'julia julie jules juliet', 'julian jules', 'karen kaz karin', 'kenneth ken kenny', 'kevin kev',
        'kimberley kim kimberly kimmy', 'laura laurie lori lauren', 'laurence larry laurie lawrence loz', 'lee leigh lea', 'leonard len lenny leo leon',
        'leslie les lesley', 'lewis lew louis louie lou luis', 'lillian lily lil lilly lilian', 'linda lin lindy lynda lyn', 'louise lou lulu louisa',
        'lucy lu lucie lucia lucinda cindy', 'luke lucas luca lukasz', 'lydia lyddie', 'madeleine maddy maddie madeline madelyn',
        'magdalena magda lena maggie', 'malcolm mal', 'margaret maggie meg peggy marge margie margo greta mags rita daisy madge megan mairead malgorzata gosia',
        'maria mary marie mariam maryam miriam mia marya', 'mark marc marcus marco marek', 'martha marty mattie', 'martin marty martyn', 'mary molly polly maria marie maureen moira may',
        'matilda tilly mattie tilda', 'matthew matt matty mathew matthias mateusz', 'maureen mo maura', 'maurice morris mo', 'maximilian max maxwell maxim', 'melanie mel',
        'melissa mel missy lissa', 'mia maya mya', 'michael mike mick mickey micky mikey mikhail miguel michal mikael', 'michelle shell chelle mich', 'mildred millie milly',
        'mohammed mo mohamed muhammad mohammad muhammed mohamad mohamud mahamed mehmet muhamed mohd hamid', 'mustafa mustapha moustafa mostafa', 'nathan nat nate nathaniel nathanael',
        'nicholas nick nicky nico nicolas niklas mikolaj klaus colin', 'nicola nicky nikki nic nichola nicole', 'nigel nige', 'niamh neve neave nieve', 'noor nur nour noura',
        'oliver ollie olly noll oli', 'olivia liv livvy ollie olive', 'oluwaseun seun oluseun', 'oluwatobi tobi tobiloba', 'omar umar omer', 'osama usama', 'othman osman uthman usman ousmane',
        'pamela pam', 'patricia pat patsy patty tricia trish', 'patrick pat paddy padraig rick', 'paul pablo pawel pauly', 'paula polly paulina pauline', 'penelope penny pen',
        'peter pete petey pedro pyotr piotr', 'philip phil pip phillip filip', 'philippa pip pippa philly', 'phoebe pheobe feebee', 'prudence pru prue', 'rachel rach rachael rae raquel',
        'raymond ray', 'rebecca becky beck becca bex rebekah reba', 'reginald reg reggie', 'richard rick ricky rich dick dickie ricardo richie ryszard', 'robert rob bob bobby robbie bert robin rupert roberto',
        'roderick rod roddy rory', 'rodney rod', 'roger rodge', 'ronald ron ronnie', 'rosemary rose rosie romy', 'russell russ rusty', 'saeed said sayed syed sayeed sayyid',
        'samantha sam sammy', 'samuel sam sammy sami', 'sarah sally sara sadie sal zara', 'sean shaun shawn shane shon', 'sebastian seb bas bastian', 'seamus shamus james',
        'sharon shaz shazza', 'sheila shelagh', 'sidney sid sydney cyd', 'simon si simeon shimon', 'siobhan shevaun shivaun chevonne', 'sophie soph sophia sofia sofie zofia zosia', 'stephanie steph stevie stefanie',
        'stephen steve steven stevie stephan stefan esteban szczepan', 'stuart stu stewart', 'susan sue susie suzie suzanne susanna zuzanna sukey', 'sylvia sylvie silvia', 'tabitha tabby',
        'tamara tammy tam', 'temitope temi tope', 'terence terry terrence tel', 'teresa terry tess tessa theresa tracy reese', 'thomas tom tommy thom tomas tomasz', 'thompson thomson tompson',
        'timothy tim timmy', 'tobias toby', 'ursula uschi', 'valerie val', 'vanessa nessa ness', 'veronica ronnie vera nica weronika', 'victor vic viktor', 'victoria vicky vikki tori tory vicki wiktoria',
        'vincent vince vinny', 'violet vi', 'virginia ginny ginger', 'walter walt wally', 'wilfred wilf fred', 'wilhelmina mina billie minnie', 'william bill billy will willie willy liam wills gwilym guillaume wilhelm',
        'winifred winnie fred freda win', 'yvonne eve evonne', 'zachary zac zach zack zak zachariah zakariya zakaria', 'zainab zaynab zeinab zeynep', 'zoe zoey zowie', 'zubair zubayr zubeir'
    ]) as names, regexp_split_to_table(names, ' ') as name;

-- Facts about names, the same for everybody.
alter table name_groups enable row level security, force row level security;
create policy directory on name_groups for select to hearth_app using ((select hearth.worker()) is not null);
grant select on name_groups to hearth_app, hearth_rights;

-- What a person is found by, kept by a trigger on persons.
create table person_names (
    person_id uuid not null references persons (id),
    -- WORD: a part of a name in lower case without accents; a search matches its beginning. SOUND: how such a word
    -- sounds. NICKNAME: the leader of a group of names that it belongs to. "C": leakproof, and an index serves it.
    kind text not null check (kind in ('WORD', 'SOUND', 'NICKNAME')),
    key text collate "C" not null,
    primary key (person_id, kind, key)
);
create index on person_names (kind, key, person_id);

-- A name is part of who the child is.
select hearth.guard('person_names', 'person_id', 'person_id');
revoke insert on person_names from hearth_seed;
grant insert, delete on person_names to hearth_rights;

-- Lower case without accents, words apart by one space. Apostrophes and hyphens stay, in one form each.
create function hearth.fold_name(name text) returns text language sql stable parallel safe as $$
    select trim(regexp_replace(
        -- Small before and after: unaccent knows some letters in one case only, and where the locale's lower() knows
        -- only ASCII it makes the others ASCII first.
        lower(public.unaccent('public.unaccent'::regdictionary, lower(regexp_replace(
            -- Before normalising: it would turn a spacing accent that stands for an apostrophe into a space.
            normalize(translate(name, '’‘`´ʼʻʹ′＇‐‑‒–—−', '''''''''''''''''''------'), nfkd),
            '[\u0300-\u036f]', '', 'g')))),
        -- Named by number: what counts as a letter must not depend on the database's locale.
        '[\u0001-\u0026\u0028-\u002c\u002e\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u2000-\u206f\u3000-\u303f]+',
        ' ', 'g'))
$$;

-- The words of one name: each as a whole (oneill, annemarie), its parts (neill, anne, marie), and the whole name as
-- one word, because some write van der Berg together. ROWS, here and below: by PostgreSQL's guesses a single name
-- would be worth compiling a plan for.
create function hearth.name_words(name text) returns setof text language sql stable parallel safe rows 5 as $$
    with folded as (select hearth.fold_name(name) as name),
    words as (select unnest(string_to_array(f.name, ' ')) as word from folded f)
    select left(found, 100) from (
        select translate(w.word, '''-', '') from words w
        union select unnest(regexp_split_to_array(w.word, '[''-]+')) from words w
        union select translate(f.name, ' ''-', '') from folded f
    ) as found (found) where found <> ''
$$;

-- How a word sounds. Double metaphone stops after four sounds: the tail of the older one tells Christine from
-- Christopher. Two sounds say little without the first letter (Bill and Paul), one says nothing.
create function hearth.name_sounds(word text) returns setof text language sql stable parallel safe rows 2 as $$
    select distinct case length(sound)
        when 2 then left(word, 1) || sound when 3 then sound else sound || substr(public.metaphone(word, 40), 5) end
    from (values (public.dmetaphone(word)), (public.dmetaphone_alt(word))) as of_word (sound)
    where word ~ '^[a-z]{3,}$' and length(sound) > 1
$$;

-- What a person with these names is found by.
create function hearth.name_keys(names text[]) returns table (kind text, key text) language sql stable rows 10 as $$
    with words as (select distinct w.word from unnest(names) as n (name), hearth.name_words(n.name) as w (word))
    select 'WORD', w.word from words w
    union select 'SOUND', s.sound from words w, hearth.name_sounds(w.word) as s (sound)
    union select 'NICKNAME', g.leader from words w join public.name_groups g on g.name = w.word
$$;

-- The words of a search: a child matches a word that begins one of its words, sounds like one, or stands for one.
create function hearth.search_words(asked text)
    returns table (word text, beyond text, sounds text[], nicknames text[]) language sql stable rows 3 as $$
    select w.word, w.word || chr(1114111),
        array(select hearth.name_sounds(w.word) order by 1),
        array(select g.leader from public.name_groups g where g.name = w.word order by 1)
    from (select distinct left(translate(word, '''-', ''), 100) as word
          from unnest(string_to_array(hearth.fold_name(asked), ' ')) as word) as w
    where w.word <> '' order by w.word
$$;

create function hearth.keep_names() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    if tg_op = 'UPDATE' then
        delete from public.person_names where person_id = new.id;
    end if;
    insert into public.person_names (person_id, kind, key)
        select new.id, k.kind, k.key
        from hearth.name_keys(array[new.first_name, new.last_name, new.preferred_name] || new.other_names) k;
    return null;
end $$;
create trigger keep_names after insert or update of first_name, last_name, preferred_name, other_names on persons
    for each row execute function hearth.keep_names();

grant create on schema hearth to hearth_rights;
alter function hearth.keep_names() owner to hearth_rights;
revoke create on schema hearth from hearth_rights;
revoke execute on function hearth.keep_names(), hearth.fold_name(text), hearth.name_words(text),
    hearth.name_sounds(text), hearth.name_keys(text[]), hearth.search_words(text) from public;
grant execute on function hearth.fold_name(text), hearth.name_words(text), hearth.name_sounds(text),
    hearth.name_keys(text[]) to hearth_rights;
grant execute on function hearth.fold_name(text), hearth.name_sounds(text), hearth.search_words(text) to hearth_app;

-- Who is known already. The owner is bound by the policies and would fill in nobody, without an error.
set local role hearth_rights;
insert into person_names (person_id, kind, key)
    select p.id, k.kind, k.key
    from persons p, hearth.name_keys(array[p.first_name, p.last_name, p.preferred_name] || p.other_names) k;
reset role;

-- Children by age.
create index on persons (date_of_birth);
-- A family's chronology asks everything by child.
create index on case_transfers (child_id);
create index on worker_involvements (child_id);
