package ai.longer.support;

import static org.assertj.core.api.Assertions.assertThat;

import ai.longer.internal.DoctorReport;
import ai.longer.internal.NativeHandle;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** After each test: every handle is closed, and JavaCPP's allocator was never asked. */
public final class NoLeaks implements AfterEachCallback {
  @Override
  public void afterEach(ExtensionContext context) {
    assertThat(NativeHandle.liveHandles()).as("handles left open").isZero();
    assertThat(DoctorReport.nativeLiveHandles()).as("native handles left").isZero();
    assertThat(DoctorReport.nativeBytes()).as("native bytes left").isZero();
    assertThat(Pointer.totalCount()).as("JavaCPP allocations").isZero();
  }
}
