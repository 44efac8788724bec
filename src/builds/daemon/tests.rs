use super::*;

#[test]
fn buildkitd_with_old_and_new_keys() {
    let text = "debug = true\n[worker.oci]\nenabled = true\ngc = true\ngckeepstorage = 9000\n\n[[worker.oci.gcpolicy]]\nfilters = [\"type==source.local\", \"type==exec.cachemount\"]\nkeepDuration = \"48h\"\nkeepBytes = 37580963840\n[[worker.oci.gcpolicy]]\nall = true\nreservedSpace = \"10GB\"\nmaxUsedSpace = \"60%\"\nminFreeSpace = \"x\"\nkeepDuration = 3600\n\n[worker.containerd]\ngc = false\n";
    let daemon = read_buildkitd(text).unwrap();
    let [oci, containerd] = daemon.workers.as_slice() else { panic!("{daemon:?}") };
    assert_eq!((oci.name.as_str(), containerd.name.as_str()), ("oci", "containerd"));
    assert_eq!(oci.gc.as_ref().unwrap().span.of(text), "gc = true");
    let kept = oci.limits.reserved.as_ref().unwrap();
    assert!(kept.old);
    assert_eq!((kept.value, kept.span.of(text)), (Some(Size::Bytes(9000)), "gckeepstorage = 9000"));
    let [first, second] = oci.policies.as_slice() else { panic!("{oci:?}") };
    assert!(first.takes_mounts() && second.takes_mounts());
    assert_eq!(first.filters[1].span.of(text), "\"type==exec.cachemount\"");
    assert_eq!(first.keep_duration.as_ref().unwrap().value, Some(48 * 3600));
    assert_eq!(first.limits.reserved.as_ref().unwrap().span.of(text), "keepBytes = 37580963840");
    assert!(first.span.of(text).starts_with("[[worker.oci.gcpolicy]]"), "{}", first.span.of(text));
    assert!(first.span.of(text).ends_with("keepBytes = 37580963840"));
    assert_eq!(second.limits.max_used.as_ref().unwrap().value, Some(Size::Percent(60)));
    assert_eq!(second.limits.reserved.as_ref().unwrap().value, Some(Size::Bytes(10 << 30)));
    assert_eq!(second.limits.min_free.as_ref().unwrap().value, None);
    assert_eq!(second.keep_duration.as_ref().unwrap().value, Some(3600));
    assert!(!containerd.gc.as_ref().unwrap().value);
    assert_eq!(read_buildkitd("a = \n").unwrap_err().line, Some(1));
    assert!(read_buildkitd("").unwrap().workers.is_empty());
}

#[test]
fn dockerd_in_any_case() {
    let text = "{\n  \"features\": {\"containerd-snapshotter\": true, \"buildkit\": false},\n  \"builder\": {\"GC\": {\n    \"enabled\": true,\n    \"defaultKeepStorage\": \"20GB\",\n    \"policy\": [\n      {\"keepStorage\": \"1GB\", \"filter\": [\"unused-for=2200h\", \"type=source.local\"]},\n      {\"reservedSpace\": \"5gb\", \"keepStorage\": \"9gb\", \"maxUsedSpace\": \"50GB\", \"all\": true}\n    ]\n  }}\n}\n";
    let daemon = read_dockerd(text).unwrap();
    assert!(daemon.containerd_store.as_ref().unwrap().value);
    assert_eq!(daemon.buildkit.as_ref().unwrap().span.of(text), "\"buildkit\": false");
    let worker = &daemon.workers[0];
    assert_eq!(worker.gc.as_ref().unwrap().span.of(text), "\"enabled\": true");
    let kept = worker.limits.reserved.as_ref().unwrap();
    assert_eq!(
        (kept.key.as_str(), kept.old, kept.value),
        ("defaultKeepStorage", true, Some(Size::Bytes(20 << 30)))
    );
    assert_eq!(worker.policies[0].keep_duration.as_ref().unwrap().value, Some(2200 * 3600));
    assert!(!worker.policies[0].takes_mounts());
    let reserved = worker.policies[1].limits.reserved.as_ref().unwrap();
    assert_eq!((reserved.key.as_str(), reserved.value_span.of(text)), ("reservedSpace", "\"5gb\""));
    assert!(read_dockerd("{").is_err());
}

#[test]
fn sizes_and_durations() {
    assert_eq!(size("512MB"), Some(Size::Bytes(512 << 20)));
    assert_eq!(size(" 1.5 GiB"), Some(Size::Bytes(3 << 29)));
    assert_eq!(size("10%"), Some(Size::Percent(10)));
    assert_eq!(size("123"), Some(Size::Bytes(123)));
    for text in ["", "x", "1x", "-1", "%", "1e9"] {
        assert_eq!(size(text), None, "{text}");
    }
    assert_eq!(duration("1h30m"), Some(5400));
    assert_eq!(duration("60"), Some(60));
    for text in ["", "h", "1d", "1h2"] {
        assert_eq!(duration(text), None, "{text}");
    }
}
