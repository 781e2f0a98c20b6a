package ai.longer.device;

import ai.longer.Doctor;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Tests that need an NVIDIA GPU. Without one they are skipped with the reason, unless {@code
 * LONGER_REQUIRE_DEVICE=cuda}: then they run, and fail.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Tag("cuda")
@ExtendWith(OnCuda.Condition.class)
@interface OnCuda {
  /** Whether {@code Device.cuda()} can be used. */
  final class Condition implements ExecutionCondition {
    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
      if ("cuda".equals(System.getenv("LONGER_REQUIRE_DEVICE"))) {
        return ConditionEvaluationResult.enabled("LONGER_REQUIRE_DEVICE=cuda");
      }
      String cuda =
          Doctor.report()
              .lines()
              .filter(line -> line.startsWith("cuda: "))
              .findFirst()
              .orElse("cuda: unknown");
      return Doctor.report().contains("best device: cuda")
          ? ConditionEvaluationResult.enabled(cuda)
          : ConditionEvaluationResult.disabled("no GPU can be used; " + cuda);
    }
  }
}
