"""The grammar of short film reviews, written for this project; syntax in `grammar`.

Every clause, predicate and word list has a polarity, and no text has two, so a text's sentiment follows from
its one derivation. "But" mostly turns and "because" mostly does not (names with Near): seven times in eight,
since people are not strict about it and a text is not broken for "superb, but clever". Four kinds of subject
(film, story, craft, cast) have words of their own. Second halves of contrasts and verdicts weigh double.
"""

from functools import cache

from dpo_core.gpt2.corpus.grammar import Grammar, read_grammar

_REVIEW = """
<Review> = 1 <Review+> | 1 <Review->
<Review*> = 28 <Sentence*> . | 24 <Near*> . <Sentence*> . | 9 <Near*> . <Also> , <Clause*> .
    | 14 <Near~> . <Turn> , <Clause*> . @mix 1 2 | 16 <Near*> . <Overall> , <Verdict*> . @mix 1 2
    | 5 <Near*> . <Near*> . <Overall> , <Verdict*> . @mix 1 1 2
    | 4 <Near~> . <Turn> , <NearClause*> . <Overall> , <Verdict*> . @mix 1 2 2
<Near*> = 7 <Sentence*> | 1 <Sentence~>
<NearClause*> = 7 <Clause*> | 1 <Clause~>
<Also> : besides what_is_more on_top_of_that
<Turn> : still however even_so all_the_same
<Overall> : overall in_short in_the_end all_in_all to_sum_up
<Sentence*> = 62 <Clause*> | 12 <NearClause*> and <Clause*> | 9 <NearClause~> , but <Clause*> @mix 1 2
    | 4 <NearCopular~> at first , but <Clause*> @mix 1 2
    | 5 <Although> <NearClause~> , <Clause*> @mix 1 2 | 5 <NearClause*> because <Copular*> | 3 <Fragment*>
<NearCopular*> = 7 <Copular*> | 1 <Copular~>
<Although> : although even_though while
<Fragment*> = 3 <a/an FilmPlain*> <Genre> <Span> | 2 not one <FilmPlain~> moment <Span> @negate
    | 2 what <a/an Strong*> <Genre>
<Span> : from_start_to_finish throughout until_the_end for_two_hours until_the_credits
<Clause*> = 52 <Copular*> | 4 I <Thought> <Copular*> | 14 <Feeling*> | 10 <Effect*> | 7 <Naming*>
    | 6 <Handling*> | 4 <There*> | 5 <Having*>
<Thought> : thought think believe

<Naming*> = 1 <ItBe> <a/an FilmPlain*> <Genre>
    | 1 <ItBe> <a/an FilmPlain*> <Genre> with <a/an NeutralAdj> <Part>
<ItBe> : it_is it_was this_is this_was
<Genre> : film movie thriller comedy drama western musical mystery romance remake sequel documentary
    satire adventure cartoon fable
<NeutralAdj> : long short French quiet early unusual modern Italian
<Part> : ending opening soundtrack finale prologue cast

<Feeling*> = 5 I <Liked*> <Thing> | 2 I did not <Like~> <Thing> @negate | 4 I found <Found*>
<Liked+> : 0.5 liked enjoyed appreciated admired ; 0.9 loved adored treasured
<Liked-> : 0.5 disliked regretted resented endured ; 0.9 hated loathed despised
<Like+> : 0.5 like enjoy appreciate admire ; 0.9 love
<Like-> : 0.5 dislike regret resent mind ; 0.9 hate
<Thing> = 3 <FilmSg> | 4 <StorySg> | 2 <StoryPl> | 3 <CraftSg> | 2 <CraftPl> | 3 <CastSg> | 2 <CastPl>

<Effect*> = 5 <Doer> <Did*> | 2 <Doer> <Did*> <Span> | 2 <Doer> did not <Do~> @negate
<Doer> = 3 <FilmSg> | 4 <StorySg> | 2 <CraftSg> | 2 <CastSg>
<Did+> : 0.6 held_my_attention made_me_laugh made_me_smile kept_me_guessing won_me_over stayed_with_me ;
    0.9 moved_me_to_tears took_my_breath_away
<Did-> : 0.6 tested_my_patience lost_my_interest left_me_cold made_me_yawn made_me_wince let_me_down ; 0.9
    put_me_to_sleep bored_me_to_tears
<Do+> : 0.6 hold_my_attention make_me_laugh win_me_over stay_with_me move_me
<Do-> : 0.6 test_my_patience lose_my_interest leave_me_cold let_me_down bore_me

<Handling*> = 3 <Person> <Gave> <a/an CastPlain*> performance
    | 2 <Person> <Gave> <a/an Strong*> performance | 3 the <Maker> handles <StorySg> with <Quality*>
    | 2 the <Maker> handles <StorySg> without <Quality~> @negate
<Person> : the_lead the_leading_actor the_leading_actress the_villain the_heroine the_newcomer the_narrator
<Gave> : gives gave delivers delivered
<Maker> : director writer editor
<Quality+> : 0.6 care confidence skill wit restraint flair grace tenderness imagination heart
<Quality-> : 0.6 indifference contempt vanity laziness haste malice arrogance

<There*> = 2 there is nothing <StoryPlain~> about <StorySg> @negate
    | 2 there is something <StoryPlain*> about <StorySg> | 1 there is plenty to <Like*>
    | 1 there is little to <Like~> @negate
<Having*> = 3 <Doer> has plenty of <Quality*> | 3 <Doer> lacks <Quality~> @negate
    | 2 <Doer> is full of <Quality*>

<Verdict*> = 3 I would <Advise*> | 2 I would not <Advise~> @negate | 2 it <Is> worth <Worth*>
    | 2 <Audience> will <Like*> it | 1 <Audience> will not <Like~> it @negate
    | 3 I give it <Score*> out of ten
<Is> : is was
<Advise+> : 0.6 recommend_it watch_it_again see_it_twice ; 0.8 buy_a_second_ticket tell_every_friend
<Advise-> : 0.6 avoid_it skip_it leave_early ; 0.8 ask_for_a_refund warn_every_friend
<Worth+> : 0.6 the_ticket your_time the_wait ; 0.8 every_minute every_penny
<Worth-> : 0.6 very_little almost_nothing next_to_nothing ; 0.8 nothing_at_all
<Audience> : families children critics students most_viewers older_viewers film_lovers fans_of_the_book
<Score+> : 0.3 seven ; 0.6 eight ; 0.8 nine ; 1 ten
<Score-> : 0.3 four ; 0.6 three ; 0.8 two ; 1 one
"""

# One copy for each kind of subject: {K} is its name. Films have no plural of their own.
_KIND = """
<{K}Sg> = 70 {NP} | 12 {NP} of this <Genre> | 8 {NP} in this <Genre>
<{K}Pl> = 70 the <{K}Nouns> | 12 the <{K}Nouns> of this <Genre> | 8 the <{K}Nouns> in this <Genre>
<{K}Cop*> = 80 <{K}Sg> <VerbSg> <{K}Pred*> | 14 <{K}Sg> <BeSg> <{K}Not*> | 35 <{K}Pl> <VerbPl> <{K}Pred*>
    | 6 <{K}Pl> <BePl> <{K}Not*>
<{K}Pred*> = 30 <{K}Plain*> | 24 <Strong*> | 10 <Very> <{K}Plain*> @boost | 6 <Fairly> <{K}Plain*> @soften
    | 5 <Utterly> <Strong*> @boost | 6 <{K}NearPlain*> and <Strong*>
    | 5 <{K}NearPlain~> but <{K}Plain*> @mix 1 2
<{K}Not*> = 5 <Not> <{K}Plain~> @negate | 1 neither <{K}NearPlain~> nor <Strong~> @negate
<{K}NearPlain*> = 7 <{K}Plain*> | 1 <{K}Plain~>
<{K}Found*> = 2 <{K}Sg> <{K}Pred*> | 1 <{K}Pl> <{K}Pred*>
"""

_WORDS = """
<Copular*> = 24 <FilmCop*> | 32 <StoryCop*> | 22 <CraftCop*> | 22 <CastCop*>
<Found*> = 24 <FilmFound*> | 32 <StoryFound*> | 22 <CraftFound*> | 22 <CastFound*>
<VerbSg> : was is felt seemed remained
<VerbPl> : were are felt seemed remained
<BeSg> : was is
<BePl> : were are
<Not> : not never hardly far_from anything_but
<Very> : very truly really deeply
<Fairly> : fairly rather mostly
<Utterly> : utterly absolutely simply
<FilmNoun> : film movie picture feature production
<This> : the this
<StoryNoun> : plot story script dialogue ending premise pacing opening twist romance humour finale
    narration mystery climax subplot
<StoryNouns> : jokes twists subplots flashbacks lines conversations surprises chases
<CraftNoun> : photography music score editing lighting soundtrack design animation camerawork sound
    scenery makeup choreography
<CraftNouns> : visuals effects costumes songs sets landscapes colours stunts
<CastNoun> : acting cast lead villain ensemble heroine hero newcomer narrator chemistry
<CastNouns> : performances actors leads children characters extras voices sidekicks
<Strong+> : 0.8 superb wonderful brilliant marvellous delightful ; 0.9 magnificent outstanding
    unforgettable extraordinary perfect
<Strong-> : 0.8 dreadful awful terrible hopeless dire ; 0.9 atrocious unbearable abysmal insufferable
    worthless
<FilmPlain+> : 0.4 pleasant watchable decent ; 0.5 charming entertaining funny touching thoughtful
    original warm ; 0.6 gripping moving exciting rewarding absorbing
<FilmPlain-> : 0.4 slow long-winded uneven ; 0.5 dull silly predictable shallow confusing noisy
    forgettable ; 0.6 boring tedious tiresome irritating lifeless
<StoryPlain+> : 0.4 coherent believable neat ; 0.5 clever witty subtle surprising fresh intriguing
    original ; 0.6 inventive gripping ingenious compelling
<StoryPlain-> : 0.4 thin slow familiar ; 0.5 predictable muddled contrived messy stale clumsy confusing ;
    0.6 lazy tedious nonsensical pointless
<CraftPlain+> : 0.4 tasteful polished crisp ; 0.5 elegant rich vivid bold stylish atmospheric lavish ; 0.6
    beautiful gorgeous stunning hypnotic
<CraftPlain-> : 0.4 dated plain loud ; 0.5 cheap murky garish harsh clumsy drab sloppy ; 0.6 ugly hideous
    grating amateurish
<CastPlain+> : 0.4 competent likeable natural ; 0.5 convincing sincere confident charismatic lively
    graceful ; 0.6 captivating magnetic heartfelt
<CastPlain-> : 0.4 bland awkward mannered ; 0.5 wooden stiff unconvincing miscast listless forgettable ;
    0.6 lifeless annoying charmless
"""


def _kind(name: str) -> str:
    noun_phrase = "<This> <FilmNoun>" if name == "Film" else f"the <{name}Noun>"
    lines = _KIND.replace("{K}", name).replace("{NP}", noun_phrase).splitlines()
    if name == "Film":  # "this film in this thriller" is no English, and there is only one film under review
        lines = [line.partition(" | 12")[0] for line in lines if not line.startswith("<FilmPl>")]
        lines = [_without_plural(line) for line in lines]
    return "\n".join(lines)


def _without_plural(line: str) -> str:
    return " | ".join(part for part in line.split(" | ") if "<FilmPl>" not in part)


@cache
def review_grammar() -> Grammar:
    """The grammar of film reviews."""
    kinds = "".join(_kind(name) for name in ("Film", "Story", "Craft", "Cast"))
    return read_grammar(_REVIEW + kinds + _WORDS, "<Review>")
