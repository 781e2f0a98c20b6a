package ai.longer.internal;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ArchitectureTest {
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .withImportOption(new ImportOption.DoNotIncludeJars())
          .importPackages("ai.longer");

  private static final DescribedPredicate<JavaClass> HIDDEN =
      resideInAnyPackage("org.bytedeco..", "ai.longer.internal..");

  @Test
  void onlyInternalTouchesBindings() {
    noClasses()
        .that()
        .resideInAPackage("ai.longer..")
        .and()
        .resideOutsideOfPackage("ai.longer.internal..")
        .should()
        .dependOnClassesThat(resideInAnyPackage("org.bytedeco..", "ai.longer.internal.capi.."))
        .check(CLASSES);
  }

  @Test
  void publicSignaturesHideInternals() {
    classes()
        .that()
        .resideInAnyPackage("ai.longer..")
        .and()
        .resideOutsideOfPackage("ai.longer.internal..")
        .and()
        .arePublic()
        .should(new HideInternals())
        .check(CLASSES);
  }

  /**
   * So that a Spark driver, say, can make configurations and data without a native library. Shards
   * are read and written natively.
   */
  @Test
  void dataNeedsNoNatives() {
    noClasses()
        .that()
        .resideInAnyPackage("ai.longer.data..")
        .and()
        .haveNameNotMatching(
            ".*\\.(Shards|Prepare|PrepareRequests|DataListener|DataProgressBar)(\\$.*)?")
        .should()
        .dependOnClassesThat(resideInAPackage("ai.longer.internal.."))
        .check(CLASSES);
  }

  @Test
  void servingKnowsNoTraining() {
    noClasses()
        .that()
        .resideInAPackage("ai.longer.serving..")
        .should()
        .dependOnClassesThat(resideInAPackage("ai.longer.training.."))
        .check(CLASSES);
  }

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
