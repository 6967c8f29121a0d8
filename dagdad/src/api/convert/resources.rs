//! The host's resources, now and before.

use dagda_proto::v1;

use super::time::timestamp;
use crate::domain::sample::{DiskSample, HistoryPoint, HostSample, MemorySample, PressureSample};

pub fn host(sample: &HostSample) -> v1::Host {
    let HostSample {
        at,
        cpu_percent,
        cpu_count,
        load_1m,
        load_5m,
        load_15m,
        memory,
        disks,
        pressure,
    } = sample;
    let MemorySample {
        total,
        used,
        available,
        cached,
        swap_total,
        swap_used,
    } = memory;
    v1::Host {
        at: Some(timestamp(*at)),
        cpu_percent: *cpu_percent,
        cpu_count: *cpu_count,
        load_1m: *load_1m,
        load_5m: *load_5m,
        load_15m: *load_15m,
        ram_percent: memory.used_percent(),
        ram_used_bytes: used.0,
        ram_available_bytes: available.0,
        ram_cached_bytes: cached.0,
        ram_total_bytes: total.0,
        swap_used_bytes: swap_used.0,
        swap_total_bytes: swap_total.0,
        disk_percent: sample.disk_percent(),
        disks: disks.iter().map(disk).collect(),
        pressure: pressure.map(|pressure| {
            let PressureSample {
                cpu_some_avg10,
                memory_some_avg10,
                memory_full_avg10,
                io_some_avg10,
            } = pressure;
            v1::Pressure {
                cpu_some_avg10,
                memory_some_avg10,
                memory_full_avg10,
                io_some_avg10,
            }
        }),
    }
}

fn disk(sample: &DiskSample) -> v1::Disk {
    let DiskSample {
        mount,
        total,
        available,
    } = sample;
    v1::Disk {
        mount: mount.clone(),
        used_percent: sample.used_percent(),
        total_bytes: total.0,
        available_bytes: available.0,
    }
}

pub fn history_point(point: &HistoryPoint) -> v1::HistoryPoint {
    let HistoryPoint {
        at,
        cpu_percent,
        ram_percent,
        ram_used,
        disk_percent,
        memory_pressure,
    } = point;
    v1::HistoryPoint {
        at: Some(timestamp(*at)),
        cpu_percent: *cpu_percent,
        ram_percent: *ram_percent,
        ram_used_bytes: ram_used.0,
        disk_percent: *disk_percent,
        memory_pressure: *memory_pressure,
    }
}
