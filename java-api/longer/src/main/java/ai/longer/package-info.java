/**
 * LONGER for the JVM: configuration, models, devices and errors.
 *
 * <p>{@link ai.longer.LongerConfig} describes a model, {@link ai.longer.training.Trainer} trains
 * one, {@link ai.longer.LongerModel} holds its weights and {@link ai.longer.serving.Ranker} scores
 * candidates with it.
 *
 * <h2>Where the native library comes from</h2>
 *
 * Configuration, data and exception classes are plain Java. The first use of a model, a trainer or
 * {@link ai.longer.LongerConfig#parse} loads {@code libjnilonger.so}, searched in this order:
 *
 * <ol>
 *   <li>the folder named by the system property {@code longer.native.path}, and only there when it
 *       is set. Nothing is extracted then: use it with a read-only root or a temporary folder
 *       mounted {@code noexec};
 *   <li>the jar {@code ai.longer:longer-native} with classifier {@code linux-x86_64-cuda13}, when
 *       it is on the class path or module path;
 *   <li>the same jar with classifier {@code linux-x86_64}, which {@code ai.longer:longer} depends
 *       on.
 * </ol>
 *
 * A library from a jar is extracted to JavaCPP's cache folder: {@code
 * org.bytedeco.javacpp.cachedir}, or {@code ~/.javacpp/cache}. This SDK reads JavaCPP's properties
 * and sets none. The empty property {@code org.bytedeco.javacpp.platform.extension=} leaves the
 * CUDA library out. {@link ai.longer.Doctor} prints what was found; its text is part of every load
 * error.
 *
 * <p>It needs Linux on x86-64 with glibc 2.34 or later. JDK 24 and later warn about native access
 * unless it is enabled: {@code --enable-native-access=ALL-UNNAMED} on the class path, {@code
 * --enable-native-access=org.bytedeco.javacpp,ai.longer.natives} on the module path. Keep JavaCPP,
 * {@code longer-native} and this SDK in one class loader, and do not relocate them: native methods
 * are found by name.
 *
 * <h2>Errors</h2>
 *
 * Errors are unchecked: {@link java.lang.IllegalArgumentException} for bad input, {@link
 * java.lang.IllegalStateException} for a closed object, {@link
 * java.lang.UnsupportedOperationException} for what this version or library lacks, {@link
 * java.io.UncheckedIOException} for files, and {@link ai.longer.LongerException} with its
 * subclasses for the rest.
 */
@NullMarked
package ai.longer;

import org.jspecify.annotations.NullMarked;
