use super::*;
use proptest::prelude::*;
use rstest::rstest;

fn chosen(table: &str) -> Vec<String> {
    chosen_mounts(table.as_bytes())
        .into_iter()
        .map(|path| path.to_string_lossy().into_owned())
        .collect()
}

#[test]
fn a_table_of_many_mounts_is_read_at_once() {
    let many = 40_000;
    let mut table = String::new();
    for mount in 0..many {
        let line = format!("{mount} 1 9:{mount} / /m{mount} rw - ext4 /dev/sda{mount} rw\n");
        table.push_str(&line);
    }
    let begun = Instant::now();
    assert_eq!(chosen(&table).len(), many);
    // Each compared with all others, it takes minutes.
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
}

#[rstest]
#[case::debian_with_podman(
    "\
22 27 0:21 / /proc rw,relatime - proc proc rw
23 27 0:22 / /sys rw,relatime - sysfs sysfs rw
24 27 0:6 / /dev rw,relatime - devtmpfs udev rw,size=1k
25 27 0:23 / /run rw,relatime shared:5 - tmpfs tmpfs rw
27 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
30 27 8:2 / /home rw,relatime shared:2 - xfs /dev/sda2 rw
31 27 8:15 / /boot/efi rw,relatime - vfat /dev/sda15 rw
40 27 8:1 /var/lib/containers/storage/overlay /var/lib/containers/storage/overlay rw,relatime - ext4 /dev/sda1 rw
41 40 0:50 / /var/lib/containers/storage/overlay/abc/merged rw - overlay overlay rw,lowerdir=/l
42 27 0:51 / /var/lib/containers/storage/overlay-containers/abc/userdata/shm rw - tmpfs shm rw
50 27 7:0 / /snap/core/1 ro - squashfs /dev/loop0 ro
51 27 0:60 / /mnt/share rw - nfs4 server:/export rw,hard
52 27 0:61 / /mnt/cloud rw - fuse.rclone remote: rw
53 27 11:0 / /media/cdrom ro - iso9660 /dev/sr0 ro
",
    &["/", "/home", "/boot/efi"]
)]
#[case::what_containers_mount_for_themselves_is_left_out(
    "27 1 8:1 / / rw - ext4 /dev/sda1 rw\n28 27 8:5 / /var/lib/containers/storage/overlay/abc/merged rw - ext4 /dev/sdc1 rw\n29 27 8:6 / /var/lib/containers rw - ext4 /dev/sdd1 rw\n",
    &["/", "/var/lib/containers"]
)]
#[case::bind_mounts_count_once_at_the_shortest_point(
    "27 1 8:1 / / rw - ext4 /dev/sda1 rw\n28 27 8:3 /deep /srv/www/deep rw - ext4 /dev/sdb1 rw\n29 27 8:3 / /data rw - ext4 /dev/sdb1 rw\n30 27 8:1 /srv /mnt/srv rw - ext4 /dev/sda1 rw\n",
    &["/", "/data"]
)]
#[case::btrfs_subvolumes_share_their_device(
    "27 1 0:30 /@ / rw - btrfs /dev/nvme0n1p2 rw,subvol=/@\n28 27 0:31 /@home /home rw - btrfs /dev/nvme0n1p2 rw,subvol=/@home\n29 27 0:32 / /data rw - btrfs /dev/sdb rw\n",
    &["/", "/data"]
)]
#[case::zfs_datasets_share_their_pool(
    "27 1 0:30 / / rw - zfs rpool/root rw\n28 27 0:31 / /home rw - zfs rpool/home rw\n29 27 0:32 / /tank rw - zfs tank rw\n",
    &["/", "/tank"]
)]
#[case::the_root_always_counts("27 1 0:30 / / rw - overlay overlay rw\n", &["/"])]
#[case::even_read_only("27 1 253:0 / / ro - squashfs /dev/dm-0 ro\n28 27 253:1 / /usr ro - ext4 /dev/dm-1 ro\n", &["/"])]
#[case::a_later_mount_hides_an_earlier_one(
    "1 1 0:2 / / rw - rootfs rootfs rw\n27 1 8:1 / / rw - ext4 /dev/sda1 rw\n28 27 8:2 / /data rw - ext4 /dev/sda2 rw\n29 28 0:9 / /data rw - tmpfs tmpfs rw\n",
    &["/"]
)]
#[case::names_that_only_begin_like_system_ones(
    "27 1 8:1 / / rw - ext4 /dev/sda1 rw\n28 27 8:2 / /sysdata rw - ext4 /dev/sda2 rw\n29 27 8:3 / /runs rw - ext4 /dev/sda3 rw\n",
    &["/", "/runs", "/sysdata"]
)]
#[case::spaces_in_names("27 1 8:1 / / rw - ext4 /dev/sda1 rw\n28 27 8:2 / /media/My\\040Disk rw - ext4 /dev/sda2 rw\n", &["/", "/media/My Disk"])]
#[case::a_broken_line_costs_itself_only("nonsense\n27 1 8:1 / / rw - ext4 /dev/sda1 rw\n28 27\n", &["/"])]
fn chooses(#[case] table: &str, #[case] expected: &[&str]) {
    assert_eq!(chosen(table), expected);
}

#[test]
fn this_machine_has_a_root_with_a_size() {
    let mut watch = DiskWatch::start(Path::new("/proc"), Duration::from_secs(30)).unwrap();
    let disks = watch.latest(Instant::now());
    assert_eq!(
        disks.first().map(|disk| disk.mount.as_str()),
        Some("/"),
        "{disks:?}"
    );
    assert!(
        disks.iter().all(|disk| disk.total >= disk.available),
        "{disks:?}"
    );
}

#[test]
fn a_disk_that_does_not_answer_delays_nobody() {
    // Opening a FIFO nobody writes to waits for ever, as a dead mount does.
    let proc = tempfile::tempdir().unwrap();
    std::fs::create_dir(proc.path().join("self")).unwrap();
    let fifo = proc.path().join("self/mountinfo");
    let made = std::process::Command::new("mkfifo")
        .arg(&fifo)
        .status()
        .unwrap();
    assert!(made.success(), "mkfifo");
    let mut watch = DiskWatch::start(proc.path(), Duration::from_secs(30)).unwrap();
    let begin = Instant::now();
    for round in 1..=3 {
        assert!(
            watch
                .latest(begin + round * Duration::from_secs(30))
                .is_empty()
        );
    }
    assert!(watch.stuck, "it is noticed");

    // It answers at last. Afterwards the thread waits at the FIFO again, for the second request.
    std::fs::write(&fifo, "27 1 8:1 / / rw - ext4 /dev/sda1 rw\n").unwrap();
    let answered = std::iter::repeat_with(|| {
        thread::yield_now();
        watch.latest(begin)
    })
    .take(20_000_000)
    .any(|disks| !disks.is_empty());
    assert!(answered, "the answer is taken");
}

proptest! {
    #[test]
    fn no_table_makes_it_panic(table: Vec<u8>) {
        let _ = chosen_mounts(&table);
    }

    #[test]
    fn no_line_makes_it_panic(fields in prop::collection::vec("[ -~]{0,8}", 0..14)) {
        let _ = chosen_mounts(fields.join(" ").as_bytes());
    }

    #[test]
    fn escapes_are_undone(name in "[a-z \t\n\\\\]{0,20}") {
        let escaped = name.replace('\\', "\\134").replace(' ', "\\040").replace('\t', "\\011").replace('\n', "\\012");
        prop_assert_eq!(unescape(escaped.as_bytes()), PathBuf::from(name));
    }
}
