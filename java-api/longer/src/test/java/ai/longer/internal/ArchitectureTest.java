package ai.longer.internal;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.util.Set;

@AnalyzeClasses(
    packages = "ai.longer",
    importOptions = {ImportOption.DoNotIncludeTests.class, ImportOption.DoNotIncludeJars.class})
class ArchitectureTest {
  private static final DescribedPredicate<JavaClass> HIDDEN =
      resideInAnyPackage("org.bytedeco..", "ai.longer.internal..");

  @ArchTest
  static final ArchRule ONLY_INTERNAL_TOUCHES_BINDINGS =
      noClasses()
          .that()
          .resideInAPackage("ai.longer..")
          .and()
          .resideOutsideOfPackage("ai.longer.internal..")
          .should()
          .dependOnClassesThat(resideInAnyPackage("org.bytedeco..", "ai.longer.internal.capi.."));

  @ArchTest
  static final ArchRule PUBLIC_SIGNATURES_HIDE_INTERNALS =
      classes()
          .that()
          .resideInAnyPackage("ai.longer..")
          .and()
          .resideOutsideOfPackage("ai.longer.internal..")
          .and()
          .arePublic()
          .should(new HideInternals());

  /** So that a Spark driver, say, can make configurations and data without a native library. */
  @ArchTest
  static final ArchRule DATA_NEEDS_NO_NATIVES =
      noClasses()
          .that()
          .resideInAnyPackage("ai.longer.data..")
          .should()
          .dependOnClassesThat(resideInAPackage("ai.longer.internal.."));

  @ArchTest
  static final ArchRule LAYERS_POINT_DOWN =
      noClasses()
          .that()
          .resideInAPackage("ai.longer.serving..")
          .should()
          .dependOnClassesThat(resideInAPackage("ai.longer.training.."));

  private static final class HideInternals extends ArchCondition<JavaClass> {
    HideInternals() {
      super("name no internal type in a public or protected signature");
    }

    @Override
    public void check(JavaClass type, ConditionEvents events) {
      for (JavaCodeUnit unit : type.getCodeUnits()) {
        if (isVisible(unit.getModifiers())) {
          unit.getAllInvolvedRawTypes()
              .forEach(used -> check(used, unit.getFullName(), type, events));
        }
      }
      for (JavaField field : type.getFields()) {
        if (isVisible(field.getModifiers())) {
          field
              .getAllInvolvedRawTypes()
              .forEach(used -> check(used, field.getFullName(), type, events));
        }
      }
      type.getAllRawSuperclasses().forEach(used -> check(used, type.getName(), type, events));
      type.getAllRawInterfaces().forEach(used -> check(used, type.getName(), type, events));
    }

    private static boolean isVisible(Set<JavaModifier> modifiers) {
      return modifiers.contains(JavaModifier.PUBLIC) || modifiers.contains(JavaModifier.PROTECTED);
    }

    private static void check(
        JavaClass used, String where, JavaClass type, ConditionEvents events) {
      if (HIDDEN.test(used)) {
        events.add(SimpleConditionEvent.violated(type, where + " names " + used.getName()));
      }
    }
  }
}
