package io.nucleusmem;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(packages = "io.nucleusmem", importOptions = DoNotIncludeTests.class)
class ArchitectureTest {
  @ArchTest
  static final ArchRule storeAndLedgerKnowNoActors =
      noClasses()
          .that()
          .resideInAnyPackage("io.nucleusmem.store..", "io.nucleusmem.ledger..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("akka..");

  @ArchTest
  static final ArchRule storeKnowsNoLedger =
      noClasses()
          .that()
          .resideInAPackage("io.nucleusmem.store..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("io.nucleusmem.ledger..", "io.nucleusmem.memspace..");

  @ArchTest
  static final ArchRule ledgerKnowsNoSpaces =
      noClasses()
          .that()
          .resideInAPackage("io.nucleusmem.ledger..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("io.nucleusmem.memspace..", "io.nucleusmem.persistence..");

  @ArchTest
  static final ArchRule onlyAnEngineImportsItsVendor =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.nucleusmem.store.rocksdb..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("org.rocksdb..");

  @ArchTest
  static final ArchRule onlyItsEngineKnowsTikv =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.nucleusmem.store.tikv..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("org.tikv..");

  @ArchTest
  static final ArchRule persistenceStandsBesideSpaces =
      noClasses()
          .that()
          .resideInAPackage("io.nucleusmem.persistence..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("io.nucleusmem.ledger..", "io.nucleusmem.memspace..");
}
