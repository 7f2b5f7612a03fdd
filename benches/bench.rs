//! The benchmark: the server beside floors that do the least that could answer the same requests, in alternating
//! slices of one run. `script/bench` starts what it needs and runs it; docs/performance.md says what it prints.
//!
//! * `run` drives both sides and prints the table; `table` prints saved results again.
//! * `floor` and `sockets` are its other processes: what is compared with, and a client's ten thousand sockets.

mod driver;
mod floor;
mod picks;
mod processes;
mod report;
mod sockets;

use std::{
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use clap::{Parser, Subcommand};
use hearth::config::Identity;
use tokio::process::Command;
use tokio_postgres::{Client, NoTls};

use picks::{Mint, Pool, Request, Shape, Stage};
use processes::{Cpu, Process};
use report::{Database, Machine, Measured, Report, Settings, Slice, SocketSide, SocketSlice};
use sockets::{Sockets, Wanted};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Cases that can be allocated in one slice.
const POOL: usize = 6000;
/// Answers of a shape that are compared before anything is measured.
const COMPARED: usize = 100;
/// How long each side warms up: connections, prepared statements, caches.
const WARM_UP: Duration = Duration::from_millis(1500);
/// What is begun by a request and goes on after its answer (relay, bus) is part of its cost.
const SETTLE: Duration = Duration::from_millis(300);

#[derive(Parser)]
#[command(name = "bench", about = "Use script/bench, which starts what this needs")]
struct Cli {
    #[command(subcommand)]
    command: Part,
}

#[derive(Subcommand)]
enum Part {
    /// Measures and prints the table.
    Run(Box<Run>),
    /// Prints saved results: one as `run` does, several as growth.
    Table {
        #[arg(long)]
        markdown: bool,
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Serves the floor.
    Floor(floor::Arguments),
    /// Holds sockets.
    Sockets(sockets::Arguments),
}

#[derive(clap::Args)]
struct Run {
    /// The server's program; its settings are in the environment.
    #[arg(long)]
    hearth: PathBuf,
    #[command(flatten)]
    identity: Identity,
    /// The server's database, as an administrator whom row-level security does not bind.
    #[arg(long, env = "HEARTH_BENCH_DATABASE_URL")]
    database_url: String,
    #[arg(long)]
    postgres_pid: u32,
    #[arg(long)]
    redis_pid: u32,
    /// Directory for the processes' logs.
    #[arg(long)]
    logs: PathBuf,
    /// Only these shapes.
    #[arg(long = "shape", value_enum)]
    shapes: Vec<Shape>,
    #[arg(long, default_value_t = 3.0)]
    seconds_per_slice: f64,
    #[arg(long, default_value_t = 4)]
    slices: usize,
    #[arg(long, default_value_t = 4)]
    connections: usize,
    #[arg(long, default_value_t = 10_000)]
    sockets: usize,
    #[arg(long, default_value_t = 10)]
    events_per_slice: usize,
    #[arg(long, default_value_t = 2.0)]
    events_per_second: f64,
    #[arg(long)]
    markdown: bool,
    /// Where the results go as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

fn main() -> ExitCode {
    match begin(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut text = format!("bench: {error}");
            let mut next = error.source();
            while let Some(cause) = next {
                text.push_str(&format!(": {cause}"));
                next = cause.source();
            }
            eprintln!("{text}");
            ExitCode::FAILURE
        }
    }
}

fn begin(part: Part) -> Result<(), Failure> {
    // The client must not take the server's second core: one thread. The floor runs as the server does.
    let mut one_thread = tokio::runtime::Builder::new_current_thread();
    match part {
        Part::Run(run) => one_thread.enable_all().build()?.block_on(until_stopped(measure(*run))),
        Part::Sockets(arguments) => one_thread.enable_all().build()?.block_on(sockets::hold(arguments)),
        Part::Floor(arguments) => tokio::runtime::Runtime::new()?.block_on(floor::serve(arguments)),
        Part::Table { markdown, files } => {
            let read = |file: &PathBuf| Ok(serde_json::from_str(&std::fs::read_to_string(file)?)?);
            let reports: Vec<Report> = files.iter().map(read).collect::<Result<_, Failure>>()?;
            match reports.as_slice() {
                [one] => print!("{}", report::table(one, markdown)),
                several => print!("{}", report::growth(several, markdown)),
            }
            Ok(())
        }
    }
}

/// Dropping what is measured ends its processes.
async fn until_stopped(measuring: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        measured = measuring => measured,
        _ = terminate.recv() => Err("stopped".into()),
        _ = tokio::signal::ctrl_c() => Err("stopped".into()),
    }
}

/// Server or floor.
struct Side {
    name: &'static str,
    address: SocketAddr,
    process: Process,
}

struct Bench {
    run: Run,
    db: Client,
    mint: Mint,
}

impl Bench {
    async fn server(&self) -> Result<Side, Failure> {
        let address = processes::free_address()?;
        let mut command = Command::new(&self.run.hearth);
        command.arg("serve").env("HEARTH_LISTEN", address.to_string());
        // All sockets are those of a few demo people.
        command.env("HEARTH_LIMIT_SOCKETS", "1000000");
        // They read more in a second than people do in a day.
        command.env("HEARTH_LIMIT_RECORDS", "1000000000");
        let process = Process::serve(command, address, "/readyz", &self.run.logs.join("hearth.log")).await?;
        Ok(Side { name: "server", address, process })
    }

    async fn floor(&self) -> Result<Side, Failure> {
        let address = processes::free_address()?;
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["floor", "--listen", &address.to_string()])
            .env("HEARTH_BENCH_DATABASE_URL", &self.run.database_url);
        let process = Process::serve(command, address, "/ready", &self.run.logs.join("floor.log")).await?;
        Ok(Side { name: "floor", address, process })
    }

    fn cpu(&self, side: &Side) -> Result<Cpu, Failure> {
        Cpu::read(side.process.pid, self.run.postgres_pid, self.run.redis_pid)
    }

    /// Both sides answer the same, or nothing is measured.
    async fn compare(&self, server: &Side, floor: &Side, requests: &[Request]) -> Result<(), Failure> {
        let step = requests.len().div_ceil(COMPARED).max(1);
        for request in requests.iter().step_by(step) {
            let ours = driver::once(server.address, &request.server).await?;
            for request in [&request.floor, &request.bound] {
                let least = driver::once(floor.address, request).await?;
                if !picks::same(&ours, &least) {
                    return Err(format!("the floor answers something else:\nserver {ours}\nfloor  {least}").into());
                }
            }
        }
        Ok(())
    }

    /// The same for a change, and what it writes and announces.
    async fn compare_change(&mut self, server: &Side, floor: &Side, pool: &Pool) -> Result<(), Failure> {
        let requests = pool.requests(&mut self.mint, "compared")?;
        let request = requests.first().ok_or("an empty pool")?;
        let ours = driver::once(server.address, &request.server).await?;
        let announced = pool.announced(&self.db).await?;
        // Another key, because the server's is remembered.
        let requests = pool.requests(&mut self.mint, "compared-floor")?;
        let request = requests.first().ok_or("an empty pool")?;
        pool.put_back(&self.db).await?;
        let least = driver::once(floor.address, &request.floor).await?;
        let announced_least = pool.announced(&self.db).await?;
        if !picks::same(&ours, &least) || !picks::same(&announced, &announced_least) {
            return Err(format!(
                "the floor does something else:\nserver {ours}\nfloor  {least}\nserver {announced}\nfloor  {announced_least}"
            )
            .into());
        }
        Ok(())
    }

    async fn slice(
        &self,
        name: &str,
        side: &Side,
        requests: &[Vec<u8>],
        start: usize,
        once: bool,
        lasting: Duration,
    ) -> Result<Slice, Failure> {
        let before = self.cpu(side)?;
        let answers = driver::drive(side.address, self.run.connections, requests, start, once, lasting).await?;
        if once {
            tokio::time::sleep(SETTLE).await;
        }
        let spent = self.cpu(side)?.since(before);
        let slice = Slice {
            requests: answers.count,
            seconds: answers.seconds,
            cpu_us: spent.per(answers.count),
            p50_ms: answers.quantile(0.5),
            p99_ms: answers.quantile(0.99),
        };
        eprintln!(
            "  {:<6} {:>6} requests, {:.0} a second, {:.0} µs CPU each, p50 {:.1} ms, p99 {:.1} ms",
            name,
            slice.requests,
            slice.requests as f64 / slice.seconds,
            slice.cpu_us.total(),
            slice.p50_ms,
            slice.p99_ms
        );
        Ok(slice)
    }

    async fn reading(&mut self, server: &Side, floor: &Side, shape: Shape) -> Result<Measured, Failure> {
        let requests = picks::reads(&self.db, &mut self.mint, shape).await?;
        eprintln!("{}: {} different requests", shape.title(), requests.len());
        self.compare(server, floor, &requests).await?;
        let (mut ours, mut least, mut bound) = (Vec::new(), Vec::new(), Vec::new());
        for request in requests {
            ours.push(request.server);
            least.push(request.floor);
            bound.push(request.bound);
        }
        let sides = [("server", server, ours), ("floor", floor, least), ("bound", floor, bound)];
        for (_, side, requests) in &sides {
            driver::drive(side.address, self.run.connections, requests, 0, false, WARM_UP).await?;
        }
        let lasting = Duration::from_secs_f64(self.run.seconds_per_slice);
        let mut slices: [Vec<Slice>; 3] = Default::default();
        for number in 0..self.run.slices {
            for ((name, side, requests), slices) in sides.iter().zip(&mut slices) {
                let start = number * requests.len() / self.run.slices;
                slices.push(self.slice(name, side, requests, start, false, lasting).await?);
            }
        }
        let [server, floor, bound] = slices;
        Ok(Measured::new(shape, server, floor, bound))
    }

    async fn allocating(&mut self, server: &Side, floor: &Side, pool: &Pool) -> Result<Measured, Failure> {
        eprintln!("{}: {POOL} cases, put back before every slice", Shape::Allocate.title());
        self.compare_change(server, floor, pool).await?;
        let lasting = Duration::from_secs_f64(self.run.seconds_per_slice);
        let (mut server_slices, mut floor_slices) = (Vec::new(), Vec::new());
        // The first slice of each warms up.
        for number in 0..=self.run.slices {
            for (side, slices) in [(server, &mut server_slices), (floor, &mut floor_slices)] {
                pool.put_back(&self.db).await?;
                let requests = pool.requests(&mut self.mint, &format!("{}-{number}", side.name))?;
                let requests: Vec<Vec<u8>> = requests
                    .into_iter()
                    .map(|request| if side.name == "server" { request.server } else { request.floor })
                    .collect();
                let lasting = if number == 0 { WARM_UP } else { lasting };
                let slice = self.slice(side.name, side, &requests, 0, true, lasting).await?;
                let given = pool.given(&self.db).await?;
                if given != slice.requests {
                    return Err(format!("{} requests allocated {given} cases", slice.requests).into());
                }
                if number > 0 {
                    slices.push(slice);
                }
            }
        }
        pool.put_back(&self.db).await?;
        Ok(Measured::new(Shape::Allocate, server_slices, floor_slices, Vec::new()))
    }

    /// Both processes are fresh, so that what they need for sockets is not memory that earlier requests left free.
    async fn sockets(&mut self, pool: &Pool) -> Result<report::Sockets, Failure> {
        let count = self.run.sockets;
        let files = processes::open_files()?;
        if files < count + 500 {
            return Err(format!(
                "{count} sockets need as many open files in each process, and {files} are allowed: raise `ulimit -n` \
                 or ask for fewer with --sockets"
            )
            .into());
        }
        let stage = Stage::set(&self.db, &mut self.mint, pool).await?;
        let log = self.run.logs.join("sockets.log");
        let expect = count * self.run.events_per_slice;
        let (server, floor) = (self.server().await?, self.floor().await?);
        eprintln!("{}: opening {count} for each side", Shape::Sockets.title());
        let wanted = |side: &Side, path: &'static str, greetings, hello| Wanted {
            address: side.address,
            path,
            count,
            greetings,
            expect,
            hello,
        };
        // Acknowledgement and FeedOpened; the floor says one word.
        let (mut at_server, server_idle) =
            self.open(&server, wanted(&server, "/graphql", 2, stage.hello.clone()), &log).await?;
        let (mut at_floor, floor_idle) =
            self.open(&floor, wanted(&floor, "/listen", 1, vec![Vec::new()]), &log).await?;

        let mut changes = stage.changes.iter();
        let (mut server_slices, mut floor_slices) = (Vec::new(), Vec::new());
        for number in 0..=self.run.slices {
            let before = self.cpu(&server)?;
            let mut rhythm = self.rhythm();
            let mut connection = driver::Connection::open(server.address).await?;
            for _ in 0..self.run.events_per_slice {
                rhythm.tick().await;
                let answer = connection.ask(changes.next().ok_or("the pool is empty")?).await?;
                if !answer.windows(11).any(|part| part == b"\"errors\":[]") {
                    return Err(format!("refused: {}", String::from_utf8_lossy(answer)).into());
                }
            }
            let arrivals = at_server.arrivals(&log).await?;
            let ours = self.socket_slice(&server, before, arrivals)?;

            let text = at_server.first.clone().ok_or("no message was seen")?;
            let (from, to) = sockets::recorded_at(&text).ok_or("a message without recordedAt")?;
            let before = self.cpu(&floor)?;
            let mut rhythm = self.rhythm();
            let mut connection = driver::Connection::open(floor.address).await?;
            for _ in 0..self.run.events_per_slice {
                rhythm.tick().await;
                let mut told = text.clone();
                told.replace_range(from..to, &chrono::Utc::now().format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string());
                connection.ask(&driver::post("/tell", "", &told)).await?;
            }
            let arrivals = at_floor.arrivals(&log).await?;
            let least = self.socket_slice(&floor, before, arrivals)?;
            // The first slice of each warms up.
            if number > 0 {
                server_slices.push(ours);
                floor_slices.push(least);
            }
        }
        let result = report::Sockets {
            count,
            server: SocketSide::new(server_idle, at_server.opened_in, server_slices),
            floor: SocketSide::new(floor_idle, at_floor.opened_in, floor_slices),
        };
        server.process.stop().await?;
        floor.process.stop().await?;
        Ok(result)
    }

    fn rhythm(&self) -> tokio::time::Interval {
        let mut rhythm = tokio::time::interval(Duration::from_secs_f64(1.0 / self.run.events_per_second));
        rhythm.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        rhythm
    }

    /// Opens sockets, and says what an idle one weighs.
    async fn open(&self, side: &Side, wanted: Wanted<'_>, log: &std::path::Path) -> Result<(Sockets, f64), Failure> {
        let (before, count) = (processes::resident(side.process.pid)?, wanted.count);
        let sockets = Sockets::open(wanted, log).await?;
        tokio::time::sleep(SETTLE).await;
        let idle = processes::resident(side.process.pid)?.saturating_sub(before) as f64 / count as f64;
        eprintln!(
            "  {:<6} {count} sockets open in {:.1} s, {:.1} KiB each",
            side.name,
            sockets.opened_in,
            idle / 1024.0
        );
        Ok((sockets, idle))
    }

    fn socket_slice(&self, side: &Side, before: Cpu, arrivals: sockets::Arrivals) -> Result<SocketSlice, Failure> {
        let cpu_us = self.cpu(side)?.since(before).server / arrivals.count.max(1) as f64;
        eprintln!(
            "  {:<6} {} arrivals, {cpu_us:.1} µs CPU each, p50 {:.1} ms, p99 {:.1} ms, last {:.1} ms",
            side.name, arrivals.count, arrivals.p50_ms, arrivals.p99_ms, arrivals.max_ms
        );
        Ok(SocketSlice { cpu_us, arrivals })
    }

    async fn database(&self) -> Result<Database, Failure> {
        let row = self
            .db
            .query_one(
                "select (select count(*) from units), (select count(*) from children),
                        (select count(*) from allocations where ended_at is null), (select count(*) from sight),
                        (select jsonb_object_agg(name, current_setting(name)) from pg_settings where name in (
                            'server_version', 'fsync', 'synchronous_commit', 'full_page_writes', 'autovacuum',
                            'shared_buffers', 'jit'))",
                &[],
            )
            .await?;
        Ok(Database {
            units: row.try_get(0)?,
            children: row.try_get(1)?,
            open_allocations: row.try_get(2)?,
            sight: row.try_get(3)?,
            postgres: row.try_get(4)?,
        })
    }
}

async fn measure(run: Run) -> Result<(), Failure> {
    let began = (chrono::Utc::now(), Instant::now());
    let (db, connection) = tokio_postgres::connect(&run.database_url, NoTls).await?;
    tokio::spawn(connection);
    let mint = Mint::new(run.identity.clone());
    let shapes = if run.shapes.is_empty() { Shape::ALL.to_vec() } else { run.shapes.clone() };
    let mut bench = Bench { run, db, mint };
    let database = bench.database().await?;
    eprintln!("{} units, {} children", database.units, database.children);

    let (server, floor) = (bench.server().await?, bench.floor().await?);
    let mut measured = Vec::new();
    for shape in shapes.iter().filter(|shape| !matches!(shape, Shape::Allocate | Shape::Sockets)) {
        measured.push(bench.reading(&server, &floor, *shape).await?);
    }
    // Last, because the cases that they give to units are in everybody's queue.
    let changing = shapes.iter().any(|shape| matches!(shape, Shape::Allocate | Shape::Sockets));
    let pool = if changing { Some(Pool::make(&bench.db, POOL).await?) } else { None };
    if let (Some(pool), true) = (&pool, shapes.contains(&Shape::Allocate)) {
        measured.push(bench.allocating(&server, &floor, pool).await?);
    }
    server.process.stop().await?;
    floor.process.stop().await?;
    let sockets = match (&pool, shapes.contains(&Shape::Sockets)) {
        (Some(pool), true) => Some(bench.sockets(pool).await?),
        _ => None,
    };

    let run = &bench.run;
    let report = Report {
        began_at: began.0.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        machine: machine()?,
        settings: Settings {
            connections: run.connections,
            slices: run.slices,
            seconds_per_slice: run.seconds_per_slice,
            events_per_slice: run.events_per_slice,
            events_per_second: run.events_per_second,
        },
        database,
        shapes: measured,
        sockets,
    };
    if let Some(file) = &run.json {
        std::fs::write(file, serde_json::to_vec_pretty(&report)?)?;
    }
    eprintln!("measured in {:.0} s", began.1.elapsed().as_secs_f64());
    print!("{}", report::table(&report, run.markdown));
    Ok(())
}

fn machine() -> Result<Machine, Failure> {
    let processors = std::fs::read_to_string("/proc/cpuinfo")?;
    let processor = processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    Ok(Machine {
        processor: processor.map_or("unknown", |(_, name)| name.trim()).to_owned(),
        cores: std::thread::available_parallelism()?.get(),
        kernel: std::fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned(),
    })
}
