package ai.longer.benchmarks.quality;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where data sets lie: each in a folder of its own below one of the roots, as it was downloaded or
 * unpacked.
 *
 * @param roots searched in order
 */
record DataFolders(List<Path> roots) {

  /**
   * A published data set.
   *
   * @param folder its folder below a root, and in its archive
   * @param url where to get it
   * @param archive name of the published file; null = it is published unpacked
   * @param md5 its published checksum, if there is one
   */
  record Download(String folder, String url, @Nullable String archive, @Nullable String md5) {}

  /** Keeps an unmodifiable copy. */
  DataFolders {
    roots = List.copyOf(roots);
  }

  /**
   * Finds a file of a data set: unpacked, packed with gzip, or inside the published archive, whose
   * checksum is then checked. Archives stay open for the life of the process.
   *
   * @throws IllegalArgumentException if it is nowhere, or the archive is not the published one
   */
  Path find(Download download, String file) {
    List<Path> tried = new ArrayList<>();
    for (Path root : roots) {
      Path folder = root.resolve(download.folder());
      for (String name : List.of(file, file + ".gz")) {
        tried.add(folder.resolve(name));
        if (Files.isReadable(folder.resolve(name))) {
          return folder.resolve(name);
        }
      }
      if (download.archive() != null) {
        for (Path place : List.of(root, folder)) {
          Path archive = place.resolve(download.archive());
          tried.add(archive);
          if (Files.isReadable(archive)) {
            return inArchive(download, archive, file);
          }
        }
      }
    }
    throw new IllegalArgumentException(
        "[data] %s of %s is not there; get it from %s; looked for %s"
            .formatted(file, download.folder(), download.url(), tried));
  }

  private static Path inArchive(Download download, Path archive, String file) {
    try {
      String expected = download.md5();
      String found = expected == null ? null : md5(archive);
      if (expected != null && !expected.equals(found)) {
        throw new IllegalArgumentException(
            "[data] %s is not the published file: its MD5 is %s, expected %s; get it again from %s"
                .formatted(archive, found, expected, download.url()));
      }
      FileSystem content = FileSystems.newFileSystem(archive);
      for (Path member : List.of(content.getPath(download.folder(), file), content.getPath(file))) {
        if (Files.exists(member)) {
          return member;
        }
      }
      throw new IllegalArgumentException("[data] %s holds no %s".formatted(archive, file));
    } catch (IOException e) {
      throw new UncheckedIOException("[data] cannot read " + archive, e);
    }
  }

  private static String md5(Path file) throws IOException {
    try {
      MessageDigest digest = MessageDigest.getInstance("MD5");
      try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
        in.transferTo(java.io.OutputStream.nullOutputStream());
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("[data] this Java has no MD5", e);
    }
  }
}
