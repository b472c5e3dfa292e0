package io.nucleusmem.memspace;

import static io.nucleusmem.memspace.TestNode.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** G9: a private space is its owner's alone, whoever that is. */
class PrivateSpaceTest extends SpaceFixture {
  String mine;
  MountedSpace own;

  @BeforeEach
  void makePrivateSpace() {
    mine = "p-" + UUID.randomUUID();
    own = create(CreateSpace.privateOf(mine));
    await(own.put(EntryKey.of("k"), Content.text("secret")));
  }

  MountRequest readOnly(String holder) {
    return MountRequest.of(holder, Access.READ_ONLY);
  }

  void transferToBen() {
    await(
        spaces.update(
            ANNA, mine, new UpdateSpace(Optional.empty(), Optional.empty(), Optional.of("ben"))));
  }

  @Test
  void g9OthersNeitherMountNorSeeNorChangeIt() {
    assertThat(refusal(spaces.mount(ANNA, mine, readOnly("ben")))).isEqualTo(ErrorCode.NOT_OWNER);
    assertThat(refusal(spaces.mount(BEN, mine, readOnly("agent/of-ben"))))
        .isEqualTo(ErrorCode.NOT_OWNER);
    assertThat(refusal(spaces.mounts(BEN, mine))).isEqualTo(ErrorCode.SPACE_NOT_FOUND);
    assertThat(refusal(spaces.openOnly(BEN, mine))).isEqualTo(ErrorCode.SPACE_NOT_FOUND);
    assertThat(refusal(spaces.archive(BEN, mine))).isEqualTo(ErrorCode.SPACE_NOT_FOUND);
    assertThat(refusal(spaces.delete(BEN, mine))).isEqualTo(ErrorCode.SPACE_NOT_FOUND);
    assertThat(await(spaces.list(BEN, Optional.empty(), 1_000, Optional.empty())).items())
        .extracting(SpaceInfo::name)
        .contains(name)
        .doesNotContain(mine);
    assertThat(await(spaces.mounts(ANNA, mine))).containsExactly(own.mount());
  }

  @Test
  void g9OwnerMountsItForItselfAndItsAgents() {
    MountedSpace agents = await(spaces.mount(ANNA, mine, readOnly("agent/of-anna")));
    assertThat(textAt(agents, "k")).contains("secret");
    assertThat(agents.mount().asAdmin()).isFalse();
  }

  @Test
  void g9AdministratorsMountIsMarkedAsOne() {
    MountedSpace forBen = await(spaces.mount(ADMIN, mine, readOnly("ben")));
    assertThat(forBen.mount().asAdmin()).isTrue();
    assertThat(forBen.mount().grantedBy()).isEqualTo("root");
    assertThat(await(spaces.mounts(ANNA, mine))).contains(forBen.mount());
  }

  @Test
  void g9NewOwnerMountsATransferredSpaceAndTheOldOneIsLockedOut() {
    MountedSpace agents = await(spaces.mount(ANNA, mine, readOnly("agent/of-anna")));
    MountedSpace admins = await(spaces.mount(ADMIN, mine, readOnly("root")));
    WatchRecorder watch = new WatchRecorder();
    await(own.watch(WatchRequest.of(Region.MEMORY, ""), watch));
    transferToBen();

    MountedSpace bens = await(spaces.mount(BEN, mine, MountRequest.of("ben", Access.READ_WRITE)));
    assertThat(textAt(bens, "k")).contains("secret");
    await(bens.put(EntryKey.of("k"), Content.text("ben's")));

    assertThat(refusal(own.get(EntryKey.of("k")))).isEqualTo(ErrorCode.MOUNT_REVOKED);
    assertThat(refusal(own.put(EntryKey.of("k"), Content.text("x"))))
        .isEqualTo(ErrorCode.MOUNT_REVOKED);
    assertThat(refusal(agents.get(EntryKey.of("k")))).isEqualTo(ErrorCode.MOUNT_REVOKED);
    assertThat(watch.end()).isInstanceOf(WatchEvent.Ended.class);
    assertThat(watch.signals(0)).isEmpty();
    assertThat(refusal(spaces.mount(ANNA, mine, readOnly("anna")))).isEqualTo(ErrorCode.NOT_OWNER);
    assertThat(refusal(spaces.describe(ANNA, mine))).isEqualTo(ErrorCode.SPACE_NOT_FOUND);

    assertThat(textAt(admins, "k")).contains("ben's");
    assertThat(await(spaces.mounts(BEN, mine)))
        .containsExactlyInAnyOrder(bens.mount(), admins.mount());
  }

  @Test
  void g9OnlyTheOwnerOrAnAdministratorTransfersASpace() {
    UpdateSpace toBen = new UpdateSpace(Optional.empty(), Optional.empty(), Optional.of("ben"));
    assertThat(refusal(spaces.update(BEN, name, toBen))).isEqualTo(ErrorCode.NOT_OWNER);
    assertThat(await(spaces.update(ADMIN, name, toBen)).owner()).isEqualTo("ben");
  }

  @Test
  void g9SharedSpacesMountsSurviveItsTransfer() {
    await(
        spaces.update(
            ANNA, name, new UpdateSpace(Optional.empty(), Optional.empty(), Optional.of("ben"))));
    await(space.put(EntryKey.of("k"), Content.text("v")));
    assertThat(textAt(space, "k")).contains("v");
    assertThat(refusal(spaces.archive(ANNA, name))).isEqualTo(ErrorCode.NOT_OWNER);
  }
}
