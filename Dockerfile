# SPDX-License-Identifier: BSD-3-Clause
# docker build -t wirespool .
# docker run --rm --privileged --network=host -v /dev/hugepages:/dev/hugepages -v /data:/data wirespool capture --help
FROM debian:bookworm-slim AS build
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      g++ meson ninja-build pkg-config libdpdk-dev libpcap-dev libseccomp-dev libcap-ng-dev libssl-dev liburing-dev libcpp-httplib-dev libfmt-dev libcli11-dev nlohmann-json3-dev
COPY . /source
# Not for the CPU that happens to build it: Haswell (2013) and newer.
RUN meson setup /build /source --prefix=/usr/local --buildtype=release --strip -Dcpu=x86-64-v3 -Dcapture=enabled \
      -Dtests=disabled && ninja -C /build && meson install -C /build --destdir /image
# The packages the program is linked against, and the drivers that DPDK loads at start: those of the NICs and virtual devices
# a probe meets. Package names carry DPDK's ABI version, so they are looked up.
RUN { ldd /image/usr/local/bin/wirespool | awk '$3 ~ /^\// { sub(".*/", "", $3); print "*/" $3 }' | \
        xargs dpkg -S | cut -d: -f1; \
      dpkg-query -W -f '${Package}\n' 'librte-*' | grep -Ex 'librte-(net-(af-packet|af-xdp|bnxt|bond|e1000|ena|enic|gve|i40e|iavf|ice|igc|ixgbe|memif|mlx5|netvsc|null|pcap|ring|tap|vhost|virtio|vmxnet3)|bus-(auxiliary|pci|vdev|vmbus)|mempool-ring)-?[0-9]+'; \
    } | sort -u > /runtime-packages && cat /runtime-packages

FROM debian:bookworm-slim
COPY --from=build /runtime-packages /tmp/runtime-packages
RUN apt-get update && xargs -a /tmp/runtime-packages apt-get install -y --no-install-recommends && \
    rm -rf /var/lib/apt/lists/* /tmp/runtime-packages
COPY --from=build /image/usr/local/bin/wirespool /usr/local/bin/wirespool
COPY --from=build /source/LICENSE /usr/local/share/doc/wirespool/LICENSE
ENTRYPOINT ["/usr/local/bin/wirespool"]
