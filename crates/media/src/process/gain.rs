//! Speech gets the level that people expect: soft speech becomes louder by and by, and nothing too loud.
//!
//! The parts of WebRTC's second gain controller as `sonora-agc2` has them, in its order. What they need to know is how
//! likely somebody talks: the noise suppression says so in passing, and only without it a network of its own is asked,
//! which costs ten times as much as the rest.

use sonora_agc2::adaptive_digital_gain_controller::{AdaptiveDigitalGainController, FrameInfo};
use sonora_agc2::common::{
    ADJACENT_SPEECH_FRAMES_THRESHOLD, SATURATION_PROTECTOR_INITIAL_HEADROOM_DB, float_s16_to_dbfs,
};
use sonora_agc2::limiter::Limiter;
use sonora_agc2::noise_level_estimator::NoiseLevelEstimator;
use sonora_agc2::saturation_protector::SaturationProtector;
use sonora_agc2::speech_level_estimator::{AdaptiveDigitalConfig, SpeechLevelEstimator};
use sonora_agc2::vad_wrapper::VoiceActivityDetectorWrapper;
use sonora_simd::detect_backend;

use super::spectrum::sum_of_squares;
use crate::frame::{FRAME_SAMPLES, SAMPLE_RATE_HZ};

/// Gain before anybody has talked: most microphones are near enough already, and an echo that is not known yet must
/// not become louder.
const FIRST_GAIN_DB: f32 = 0.0;
/// Most that a soft voice is made louder.
const MAX_GAIN_DB: f32 = 30.0;
/// The noise suppression takes some steady noises for speech with less certainty than this, and nearly no voice.
const SURE_FROM: f32 = 0.99;

/// See the module header.
pub(super) struct GainControl {
    /// Tells whether somebody talks; made when it is asked first.
    detector: Option<VoiceActivityDetectorWrapper>,
    noise: NoiseLevelEstimator,
    speech: SpeechLevelEstimator,
    peaks: SaturationProtector,
    gain: AdaptiveDigitalGainController,
    limiter: Limiter,
}

impl GainControl {
    pub(super) fn new() -> Self {
        let config = AdaptiveDigitalConfig {
            initial_gain_db: FIRST_GAIN_DB,
            max_gain_db: MAX_GAIN_DB,
            ..AdaptiveDigitalConfig::default()
        };
        let frames = ADJACENT_SPEECH_FRAMES_THRESHOLD;
        Self {
            detector: None,
            noise: NoiseLevelEstimator::default(),
            speech: SpeechLevelEstimator::new(&config, frames),
            peaks: SaturationProtector::new(SATURATION_PROTECTOR_INITIAL_HEADROOM_DB, frames),
            gain: AdaptiveDigitalGainController::new(config, frames),
            limiter: Limiter::new(FRAME_SAMPLES),
        }
    }

    /// Samples are counted as on the wire, ±32768. `speech_probability`, from 0 to 1, if it is known already.
    pub(super) fn process(
        &mut self,
        samples: &mut [f32; FRAME_SAMPLES],
        speech_probability: Option<f32>,
    ) {
        let speech_probability = match speech_probability {
            Some(probability) if probability < SURE_FROM => 0.0,
            Some(probability) => probability,
            None => self.detect(samples),
        };
        let rms = (sum_of_squares(samples) / FRAME_SAMPLES as f32).sqrt();
        let peak = samples
            .iter()
            .fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        let noise_rms_dbfs = self.noise.analyze(&[samples]);
        self.speech
            .update(float_s16_to_dbfs(rms), speech_probability);
        let speech_level_dbfs = self.speech.level_dbfs();
        self.peaks.analyze(
            speech_probability,
            float_s16_to_dbfs(peak),
            speech_level_dbfs,
        );
        let info = FrameInfo {
            speech_probability,
            speech_level_dbfs,
            speech_level_reliable: self.speech.is_confident(),
            noise_rms_dbfs,
            headroom_db: self.peaks.headroom_db(),
            limiter_envelope_dbfs: float_s16_to_dbfs(self.limiter.last_audio_level()),
        };
        self.gain.process(&info, &mut [samples]);
        self.limiter.process(&mut [samples]);
    }

    fn detect(&mut self, samples: &[f32; FRAME_SAMPLES]) -> f32 {
        let rate = i32::try_from(SAMPLE_RATE_HZ).unwrap_or(i32::MAX);
        self.detector
            .get_or_insert_with(|| VoiceActivityDetectorWrapper::new(detect_backend(), rate))
            .analyze(samples)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::sample_from_f32;
    use crate::level::level_dbfs;
    use crate::tone::Tone;

    /// Level of each second of a tone of this amplitude that pauses as a voice does.
    fn seconds(gain: &mut GainControl, amplitude: f32, speech: Option<f32>) -> Vec<f32> {
        let mut tone = Tone::new(300.0, SAMPLE_RATE_HZ, amplitude);
        let mut sent = Vec::new();
        for n in 0..1_000 {
            let mut frame = [0; FRAME_SAMPLES];
            tone.fill(&mut frame);
            let is_pause = n % 50 > 40;
            if is_pause {
                frame = frame.map(|sample| sample.signum() * 3);
            }
            let mut samples = frame.map(f32::from);
            gain.process(&mut samples, speech.map(|p| if is_pause { 0.0 } else { p }));
            assert!(samples.iter().all(|sample| sample.abs() <= 32_768.0));
            sent.extend(samples.map(sample_from_f32));
        }
        sent.chunks(48_000).map(level_dbfs).collect()
    }

    #[test]
    fn soft_speech_becomes_louder_by_and_by_up_to_a_usual_level() {
        let levels = seconds(&mut GainControl::new(), 0.01, Some(1.0));
        // The tone is at -43 dBFS; 6 dB more in each second.
        assert!((-44.0..-36.0).contains(&levels[0]), "{levels:?}");
        assert!((3.0..7.0).contains(&(levels[1] - levels[0])), "{levels:?}");
        assert!((-26.0..-16.0).contains(&levels[9]), "{levels:?}");
    }

    #[test]
    fn a_gain_is_30_db_at_most() {
        let levels = seconds(&mut GainControl::new(), 0.001, Some(1.0));
        let before = seconds(&mut GainControl::new(), 0.001, Some(0.0));
        let gain = levels[9] - before[9];
        assert!((29.0..31.0).contains(&gain), "{levels:?} {before:?}");
    }

    #[test]
    fn what_is_not_surely_speech_keeps_its_level() {
        for speech in [0.0, 0.98] {
            let levels = seconds(&mut GainControl::new(), 0.01, Some(speech));
            assert!((levels[9] - levels[0]).abs() < 0.1, "{speech}: {levels:?}");
        }
    }

    #[test]
    fn without_noise_suppression_speech_is_found_out() {
        // A tone with pauses is taken for a voice.
        let levels = seconds(&mut GainControl::new(), 0.01, None);
        assert!(levels[9] > levels[0] + 10.0, "{levels:?}");
    }

    #[test]
    fn speech_that_is_loud_already_is_not_made_louder_and_what_is_too_loud_is_held_back() {
        let mut gain = GainControl::new();
        let levels = seconds(&mut gain, 0.5, Some(1.0));
        assert!((levels[9] - levels[0]).abs() < 0.5, "{levels:?}");
        seconds(&mut gain, 0.02, Some(1.0));
        let levels = seconds(&mut gain, 0.9, Some(1.0));
        assert!(levels[0] <= -2.0 && levels[9] <= -3.0, "{levels:?}");
    }
}
