//! Results, as JSON and as a table.

use serde::{Deserialize, Serialize};

use crate::{picks::Shape, processes::Cpu, sockets::Arrivals};

/// One run on one database.
#[derive(Debug, Serialize, Deserialize)]
pub struct Report {
    pub began_at: String,
    pub machine: Machine,
    pub settings: Settings,
    pub database: Database,
    pub shapes: Vec<Measured>,
    pub sockets: Option<Sockets>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Machine {
    pub processor: String,
    pub cores: usize,
    pub kernel: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Settings {
    pub connections: usize,
    pub slices: usize,
    pub seconds_per_slice: f64,
    pub events_per_slice: usize,
    pub events_per_second: f64,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Database {
    /// Version and what decides cost.
    pub postgres: serde_json::Value,
    pub units: i64,
    pub children: i64,
    pub open_allocations: i64,
    pub sight: i64,
}

/// One slice of one side. CPU is a request's, in microseconds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Slice {
    pub requests: usize,
    pub seconds: f64,
    pub cpu_us: Cpu,
    pub p50_ms: f64,
    pub p99_ms: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measured {
    pub shape: Shape,
    pub target: f64,
    /// Total CPU of a request, server to floor.
    pub ratio: f64,
    /// Medians over the slices.
    pub server: Slice,
    pub floor: Slice,
    /// The floor under the policies; a change has none.
    pub bound: Option<Slice>,
    pub server_slices: Vec<Slice>,
    pub floor_slices: Vec<Slice>,
    pub bound_slices: Vec<Slice>,
}

impl Measured {
    pub fn new(shape: Shape, server: Vec<Slice>, floor: Vec<Slice>, bound: Vec<Slice>) -> Self {
        let of_bound = (!bound.is_empty()).then(|| medians(&bound));
        let (of_server, of_floor) = (medians(&server), medians(&floor));
        Self {
            shape,
            target: shape.target(),
            ratio: of_server.cpu_us.total() / of_floor.cpu_us.total(),
            server: of_server,
            floor: of_floor,
            bound: of_bound,
            server_slices: server,
            floor_slices: floor,
            bound_slices: bound,
        }
    }
}

/// Each figure's own median.
fn medians(slices: &[Slice]) -> Slice {
    let of = |figure: fn(&Slice) -> f64| median(slices.iter().map(figure).collect());
    Slice {
        requests: slices.iter().map(|slice| slice.requests).sum(),
        seconds: slices.iter().map(|slice| slice.seconds).sum(),
        cpu_us: Cpu {
            server: of(|slice| slice.cpu_us.server),
            postgres: of(|slice| slice.cpu_us.postgres),
            redis: of(|slice| slice.cpu_us.redis),
        },
        p50_ms: of(|slice| slice.p50_ms),
        p99_ms: of(|slice| slice.p99_ms),
    }
}

pub fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    let middle = of.len() / 2;
    match (of.len() % 2, of.get(middle), middle.checked_sub(1).and_then(|below| of.get(below))) {
        (0, Some(above), Some(below)) => f64::midpoint(*below, *above),
        (_, Some(middle), _) => *middle,
        _ => f64::NAN,
    }
}

/// One slice of one side: CPU is the process's alone, for one event and one socket.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct SocketSlice {
    pub cpu_us: f64,
    pub arrivals: Arrivals,
}

/// One side of the sockets.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SocketSide {
    /// Medians over the slices.
    pub cpu_us: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    /// Resident memory of the process for one idle socket.
    pub idle_bytes: f64,
    pub opened_in_seconds: f64,
    pub slices: Vec<SocketSlice>,
}

impl SocketSide {
    pub fn new(idle_bytes: f64, opened_in_seconds: f64, slices: Vec<SocketSlice>) -> Self {
        let of = |figure: fn(&SocketSlice) -> f64| median(slices.iter().map(figure).collect());
        Self {
            cpu_us: of(|slice| slice.cpu_us),
            p50_ms: of(|slice| slice.arrivals.p50_ms),
            p99_ms: of(|slice| slice.arrivals.p99_ms),
            idle_bytes,
            opened_in_seconds,
            slices,
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sockets {
    pub count: usize,
    pub server: SocketSide,
    pub floor: SocketSide,
}

/// What an idle socket may weigh.
const IDLE_KIB: f64 = 20.0;

fn held(holds: bool) -> String {
    if holds { "yes" } else { "NO" }.to_owned()
}

fn cpu(of: Cpu) -> String {
    format!("{:.0} = {:.0} + {:.0} + {:.0}", of.total(), of.server, of.postgres, of.redis)
}

/// A table of one run.
pub fn table(report: &Report, markdown: bool) -> String {
    let mut rows = vec![
        [
            "shape",
            "ratio",
            "target",
            "held",
            "server",
            "Postgres",
            "to floor under RLS",
            "Hearth, CPU µs = server + Postgres + Redis",
            "p50, p99 ms",
            "floor, CPU µs",
            "p50, p99 ms",
            "floor under RLS, CPU µs",
        ]
        .map(str::to_owned)
        .to_vec(),
    ];
    for of in &report.shapes {
        let (server, floor) = (of.server.cpu_us, of.floor.cpu_us);
        rows.push(vec![
            of.shape.title().to_owned(),
            format!("{:.2}", of.ratio),
            format!("{:.1}", of.target),
            held(of.ratio <= of.target),
            format!("{:.2}", server.server / floor.server),
            format!("{:.2}", server.postgres / floor.postgres),
            of.bound.map_or("-".to_owned(), |bound| format!("{:.2}", server.total() / bound.cpu_us.total())),
            cpu(server),
            format!("{:.1}, {:.1}", of.server.p50_ms, of.server.p99_ms),
            cpu(floor),
            format!("{:.1}, {:.1}", of.floor.p50_ms, of.floor.p99_ms),
            of.bound.map_or("-".to_owned(), |bound| cpu(bound.cpu_us)),
        ]);
    }
    let mut text = if rows.len() > 1 { laid_out(&rows, markdown) } else { String::new() };
    if let Some(sockets) = &report.sockets {
        let (server, floor, target) = (&sockets.server, &sockets.floor, Shape::Sockets.target());
        let row = |what: &str, server: f64, floor: f64, unit: &str| {
            vec![
                what.to_owned(),
                format!("{:.2}", server / floor),
                format!("{target:.1}"),
                held(server / floor <= target),
                format!("{server:.1} {unit}"),
                format!("{floor:.1} {unit}"),
            ]
        };
        let kib = server.idle_bytes / 1024.0;
        let rows = [
            vec![format!("{} sockets on one unit", sockets.count)]
                .into_iter()
                .chain(["ratio", "target", "held", "Hearth", "floor"].map(str::to_owned))
                .collect(),
            row("recorded to the last byte at a socket, p99", server.p99_ms, floor.p99_ms, "ms"),
            row("the same, p50", server.p50_ms, floor.p50_ms, "ms"),
            row("CPU of the server for an event and socket", server.cpu_us, floor.cpu_us, "µs"),
            vec![
                "memory of an idle socket".to_owned(),
                "-".to_owned(),
                format!("{IDLE_KIB:.0} KiB"),
                held(kib <= IDLE_KIB),
                format!("{kib:.1} KiB"),
                format!("{:.1} KiB", floor.idle_bytes / 1024.0),
            ],
        ];
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&laid_out(&rows, markdown));
    }
    text
}

/// How the shapes' cost grows with the database: a column for each run.
pub fn growth(reports: &[Report], markdown: bool) -> String {
    let mut head = vec!["shape".to_owned()];
    for report in reports {
        head.push(format!("{} children: CPU µs", report.database.children));
        head.push("floor".to_owned());
        head.push("ratio".to_owned());
        head.push("p99 ms".to_owned());
    }
    let mut rows = vec![head];
    for shape in Shape::ALL {
        let mut row = vec![shape.title().to_owned()];
        for report in reports {
            let Some(of) = report.shapes.iter().find(|of| of.shape == shape) else { continue };
            row.push(format!("{:.0}", of.server.cpu_us.total()));
            row.push(format!("{:.0}", of.floor.cpu_us.total()));
            row.push(format!("{:.2}", of.ratio));
            row.push(format!("{:.1}", of.server.p99_ms));
        }
        if row.len() > 1 {
            rows.push(row);
        }
    }
    laid_out(&rows, markdown)
}

fn laid_out(rows: &[Vec<String>], markdown: bool) -> String {
    let mut text = String::new();
    if markdown {
        for (at, row) in rows.iter().enumerate() {
            text.push_str(&format!("| {} |\n", row.join(" | ")));
            if at == 0 {
                text.push_str(&format!("|{}\n", " --- |".repeat(row.len())));
            }
        }
        return text;
    }
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|at| rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max().unwrap_or(0))
        .collect();
    for row in rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}
